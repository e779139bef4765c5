"""In: /proc and control groups, or their like. Out: memory.jsonl, pressure.jsonl, native/headroom-N.
May import `outside`, `records`.

process_samples.py       the observed process, every few milliseconds
tree_samples.py          all of its tree and the machine, slowly (smaps_rollup.py: without counting twice)
pressure.py              what the kernel counts around it
ceilings.py              every limit that holds for one process, and what is left under each
control_group_limits.py control_group_use.py    control groups: the limits, the counters
headroom_snapshot.py     the look before SIGKILL
"""
