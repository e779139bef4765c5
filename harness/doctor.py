"""Which evidence this machine can give, and what is in the way."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import sysconfig
from pathlib import Path

import psutil

from probes.outside import PROBES


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


def py_spy() -> str | None:
    """Return the path of py-spy, which is installed beside the interpreter, or None."""
    return shutil.which("py-spy", path=sysconfig.get_path("scripts")) or shutil.which("py-spy")


def _py_spy() -> EvidenceSource:
    path = py_spy()
    return EvidenceSource("py-spy", path is not None, path or "not found: stacks of a live process cannot be taken")


def _ptrace() -> EvidenceSource:
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    value = scope.read_text().strip() if scope.exists() else "0"
    words = {"0": "allowed", "1": "allowed for descendants (kernel.yama.ptrace_scope=1)"}
    detail = words.get(value, f"kernel.yama.ptrace_scope={value} forbids reading another process' stacks")
    return EvidenceSource(
        "ptrace", value in words and sys.platform == "linux", detail if sys.platform == "linux" else "Linux only"
    )


def _gdb() -> EvidenceSource:
    path = shutil.which("gdb")
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
