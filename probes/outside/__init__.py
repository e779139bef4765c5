"""In: a live process and what its inside wrote. Out: record files. May import `probes.records`, no other of ours.

To add a probe: one file in the room that it belongs to, one line below. `probe.py` is what every probe is, and
`snapshot.py` all that can be read from one live process at once.

    memory/                  use, limits and what is left
    threads/                 each thread's time and state, and what bounds their number
    crash/                   a process held at the instant of its death
    ends/                    which process ended when, and how
    progress/                the flight ring, and looks at a standstill
    system/                  what the kernel refuses, and who sends signals, from its tracepoints
    machine/                 the kernel's log, mapped libraries, tools, Win32
"""

from __future__ import annotations

from probes.outside.crash.hold import HoldProbe
from probes.outside.ends.halted import HaltedProbe
from probes.outside.ends.native_exit import NativeExitProbe
from probes.outside.ends.process_ends import EndsProbe
from probes.outside.limit_use import LimitUseProbe
from probes.outside.machine.kernel_log import KernelProbe
from probes.outside.machine.mapped_libraries import MapsProbe
from probes.outside.memory.headroom_snapshot import HeadroomProbe
from probes.outside.memory.pressure import PressureProbe
from probes.outside.memory.process_samples import MemoryProbe
from probes.outside.memory.tree_samples import TreeProbe
from probes.outside.probe import Probe, Watched
from probes.outside.progress.hang_looks import HangProbe
from probes.outside.system.refusals import RefusalsProbe
from probes.outside.system.signals import SignalsProbe
from probes.outside.threads.thread_samples import ThreadsProbe

PROBES: tuple[type[Probe], ...] = (
    RefusalsProbe,  # first: what comes before the tracing is not seen
    SignalsProbe,
    MemoryProbe,
    PressureProbe,
    TreeProbe,
    HeadroomProbe,
    ThreadsProbe,
    LimitUseProbe,
    MapsProbe,
    KernelProbe,
    HoldProbe,
    HaltedProbe,
    HangProbe,
    EndsProbe,
    NativeExitProbe,
)

__all__ = ["PROBES", "Probe", "Watched"]
