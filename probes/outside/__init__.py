"""Observes from the supervisor's side, reads what the inside wrote. To add a probe: one file here, one line below."""

from __future__ import annotations

from probes.outside.crash.hold import HoldProbe
from probes.outside.ends.native_exit import NativeExitProbe
from probes.outside.ends.processes import EndsProbe
from probes.outside.limit_use import LimitUseProbe
from probes.outside.machine.kernel import KernelProbe
from probes.outside.machine.maps import MapsProbe
from probes.outside.memory.headroom import HeadroomProbe
from probes.outside.memory.pressure import PressureProbe
from probes.outside.memory.samples import MemoryProbe
from probes.outside.memory.tree import TreeProbe
from probes.outside.probe import Probe, Watched
from probes.outside.progress.looks import HangProbe
from probes.outside.threads.samples import ThreadsProbe

PROBES: tuple[type[Probe], ...] = (
    MemoryProbe,
    PressureProbe,
    TreeProbe,
    HeadroomProbe,
    ThreadsProbe,
    LimitUseProbe,
    MapsProbe,
    KernelProbe,
    HoldProbe,
    HangProbe,
    EndsProbe,
    NativeExitProbe,
)

__all__ = ["PROBES", "Probe", "Watched"]
