"""In: a live process and what its inside wrote. Out: record files. May import `probes.records`, no other of ours.

To add a probe: one file in the room that it belongs to, one line in `registry.py`. `probe.py` is what every probe is,
and `snapshot.py` all that can be read from one live process at once.

    memory/                  use, limits and what is left
    threads/                 each thread's time and state, and what bounds their number
    crash/                   a process held at the instant of its death
    ends/                    which process ended when, and how
    progress/                the flight ring, and looks at a standstill
    system/                  what the kernel refuses, and who sends signals, from its tracepoints
    machine/                 the kernel's log, mapped libraries, tools, Win32
"""

from __future__ import annotations

from probes.outside.probe import Probe, Watched
from probes.outside.registry import PROBES

__all__ = ["PROBES", "Probe", "Watched"]
