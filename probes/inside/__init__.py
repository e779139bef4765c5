"""Runs in the child, before and around the target: standard library only, Python 3.9 or later.

`boot.py` loads this folder as a package under a private name, so that no module of the target can be shadowed. So it
stays flat, and its files import one another with one dot only. What is where:

    it begins        boot.py (the entry)  observed_process.py (all probes, from first to last)  become_target.py
                     confine.py (a memory limit)  unseen.py (takes back what the target could see)
    where it is      tracker.py  torch_hooks.py  compiled.py  flight.py (the ring)
    how it ends      endings.py (Python's ends)  native_exit.py (C's)  kills.py (signals sent)  waits.py (children's)
                     silence.py (no power to send them)
    it crashes       faults.py  hold.py  altstack.py  fault_page.py  code_x86_64.py  code_aarch64.py
    what it starts   descendants.py  leading.py
    what steers it   steering.py (variables, counts, pools)
    one call, whole  capture.py  capture_log.py  capture_tensors.py
    planted faults   plant.py
    they all use     lines.py (JSON lines that survive)  imports.py (when a module is imported)
"""
