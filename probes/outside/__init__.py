"""Observes from the supervisor's side, reads what the inside wrote. To add a probe: one file here, one line below."""

from __future__ import annotations

from probes.outside.ends import EndsProbe
from probes.outside.hang import HangProbe
from probes.outside.headroom import HeadroomProbe
from probes.outside.hold import HoldProbe
from probes.outside.kernel import KernelProbe
from probes.outside.maps import MapsProbe
from probes.outside.memory import MemoryProbe
from probes.outside.native_exit import NativeExitProbe
from probes.outside.pressure import PressureProbe
from probes.outside.probe import Probe, Watched
from probes.outside.threads import ThreadsProbe
from probes.outside.tree import TreeProbe

PROBES: tuple[type[Probe], ...] = (
    MemoryProbe,
    PressureProbe,
    TreeProbe,
    HeadroomProbe,
    ThreadsProbe,
    MapsProbe,
    KernelProbe,
    HoldProbe,
    HangProbe,
    EndsProbe,
    NativeExitProbe,
)

__all__ = ["PROBES", "Probe", "Watched"]
