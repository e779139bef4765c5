"""The limits of memory that hold for one process, and what it has left under each, every one by its own meter.

The machine's free memory and a control group's use count the whole tree (and everybody else in it), an rlimit counts
the address space or the data of one process, the plan's limit the resident set of the one process.
Sources: meminfo in proc(5), getrlimit(2), the kernel's cgroup-v1/memory.rst and cgroup-v2.rst.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from probes.outside.memory import control_group_limits
from probes.outside.memory.process_samples import reader
from probes.outside.memory.tree_samples import machine

RLIMITS = {"RLIMIT_AS": "Max address space", "RLIMIT_DATA": "Max data size"}


@dataclasses.dataclass(frozen=True)
class Ceiling:
    """One limit: its name, its height, and what is left under it now; in bytes."""

    name: str
    limit_bytes: int
    left_bytes: int


class Ceilings:
    """Reads the limits of one process; the process' own files stay open, so that they can be read when it is dead."""

    def __init__(self, pid: int, planned_bytes: int | None) -> None:
        """Open the files of a process that is not yet reaped; `planned_bytes` is the plan's own limit."""
        names = ("cgroup", "limits", "status") if sys.platform == "linux" else ()
        self._files = {name: os.open(f"/proc/{pid}/{name}", os.O_RDONLY) for name in names}
        self._account = reader(pid)
        self._planned = planned_bytes
        self._total = sum(machine().values()) if sys.platform == "win32" else _meminfo()["MemTotal"]

    def now(self) -> list[Ceiling]:
        """Return every limit with what is left, the tightest first; empty where the process has ended.

        The limits themselves are read anew each time: a wrapper, or the program, may set them after the start.
        """
        rss, vms, *_ = self._account()
        if not rss:
            return []
        return sorted(self._all(rss, vms), key=lambda ceiling: ceiling.left_bytes)

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files = {}

    def _all(self, rss: int, vms: int) -> Iterator[Ceiling]:
        yield Ceiling("the machine's memory", self._total, _machine_left())
        for file, limit in control_group_limits.limits_of(self._text("cgroup")).items():
            used = control_group_limits.use_bytes(Path(file))
            if used is not None:
                yield Ceiling(f"control group, {file}", limit, limit - used)
        for name, limit in _rlimits(self._text("limits")).items():
            yield Ceiling(name, limit, limit - (vms if name == "RLIMIT_AS" else self._data_bytes()))
        if self._planned:
            yield Ceiling("the plan's limits.memory_bytes", self._planned, self._planned - rss)

    def _data_bytes(self) -> int:
        found = re.search(r"^VmData:\s+(\d+) kB", self._text("status"), re.MULTILINE)
        return int(found.group(1)) * 1024 if found else 0

    def _text(self, name: str) -> str:
        """Return a file of the process; "" where the system has no such file."""
        return os.pread(self._files[name], 1 << 16, 0).decode(errors="replace") if name in self._files else ""


def _rlimits(text: str) -> dict[str, int]:
    """Return the soft limits that are set, from the text of /proc/PID/limits."""
    found = {name: re.search(rf"^{words}\s+(\d+)\s", text, re.MULTILINE) for name, words in RLIMITS.items()}
    return {name: int(match.group(1)) for name, match in found.items() if match}


def _machine_left() -> int:
    """Return what the machine can still give: on Windows the commit charge ends, elsewhere memory and swap."""
    if sys.platform == "win32":
        return machine()["commit_available_bytes"]
    rows = _meminfo()
    return rows["MemAvailable"] + rows["SwapFree"]


def _meminfo() -> dict[str, int]:
    """Return the machine's accounts in bytes; through psutil where there is no /proc."""
    if sys.platform != "linux":
        import psutil

        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return {"MemTotal": memory.total, "MemAvailable": memory.available, "SwapFree": swap.free}
    rows = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows}
