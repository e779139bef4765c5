"""Which evidence this machine can give, and what is in the way."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import psutil

from probes.outside import PROBES
from probes.outside.machine import stack_tools


@dataclasses.dataclass(frozen=True)
class EvidenceSource:
    """One kind of evidence: whether it can be had here, and the reason or the tool's place."""

    name: str
    available: bool
    detail: str


def examine() -> tuple[EvidenceSource, ...]:
    """Ask each probe and tool; quick, and changes nothing."""
    probes = tuple(EvidenceSource(kind.name, (why := kind.missing()) is None, why or "works here") for kind in PROBES)
    return (*probes, _py_spy(), _ptrace(), _gdb(), _cores(), _memory())


def _py_spy() -> EvidenceSource:
    path = stack_tools.py_spy()
    return EvidenceSource("py-spy", path is not None, path or "not found: stacks of a live process cannot be taken")


def _ptrace() -> EvidenceSource:
    if sys.platform != "linux":
        return EvidenceSource("ptrace", False, "Linux only")
    return EvidenceSource("ptrace", stack_tools.ptrace_scope() in ("", "0", "1"), stack_tools.ptrace_setting())


def _gdb() -> EvidenceSource:
    path = stack_tools.gdb()
    return EvidenceSource(
        "gdb",
        path is not None,
        path or "not installed; optional: it adds the stacks of threads that Python does not know",
    )


def _cores() -> EvidenceSource:
    pattern = Path("/proc/sys/kernel/core_pattern")
    return EvidenceSource(
        "core files",
        pattern.exists(),
        f"core_pattern is {pattern.read_text().strip()!r}" if pattern.exists() else "Linux only",
    )


def _memory() -> EvidenceSource:
    free, total = psutil.virtual_memory().available, psutil.virtual_memory().total
    return EvidenceSource("free memory", free > total / 10, f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB available")
