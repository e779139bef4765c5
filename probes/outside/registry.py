"""Every outside probe, in the order in which they are opened. To add one: its file in its room, its line here."""

from __future__ import annotations

from probes.outside.crash.hold import HoldProbe
from probes.outside.ends.halted import HaltedProbe
from probes.outside.ends.handled_signals import HandledSignalsProbe
from probes.outside.ends.native_exit import NativeExitProbe
from probes.outside.ends.process_ends import EndsProbe
from probes.outside.ends.spoken import SpokenProbe
from probes.outside.ends.uncaught import UncaughtProbe
from probes.outside.limit_use import LimitUseProbe
from probes.outside.machine.kernel_log import KernelProbe
from probes.outside.machine.mapped_libraries import MapsProbe
from probes.outside.memory.headroom_snapshot import HeadroomProbe
from probes.outside.memory.pressure import PressureProbe
from probes.outside.memory.process_samples import MemoryProbe
from probes.outside.memory.tree_samples import TreeProbe
from probes.outside.probe import Probe
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
    UncaughtProbe,
    SpokenProbe,
    HandledSignalsProbe,
    HaltedProbe,
    HangProbe,
    EndsProbe,
    NativeExitProbe,
)
