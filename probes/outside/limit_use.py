"""How much of its limits other than memory the observed process uses, about once a second, into limit_use.jsonl.

Open files, memory mappings, locked memory, the file size limit, inotify, and what /dev/shm has left. Sources: limits,
fd, fdinfo, maps and status in proc(5); vm.max_map_count in proc_sys_vm(5); inotify(7). Directories and maps are read by
a tool: each can be refused the moment the process ends. A process with many mappings is asked seldom: the kernel writes
each as a line.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from probes.outside.probe import Probe, Watched, run_tool
from probes.records import LIMIT_USE, Appender

FASTEST_SECONDS = 0.5
SHARE_OF_TIME = 0.05  # of the wall, most of it waiting for the tool
COUNT = (
    'ls -f "$1/fd" 2>/dev/null | wc -l; wc -l < "$1/maps" 2>/dev/null; '
    'n=$(ls -l "$1/fd" 2>/dev/null | grep -c inotify); echo "$n"; '
    '[ "$n" -eq 0 ] && echo 0 || grep -rhs "^inotify " "$1/fdinfo" | wc -l'
)
LIMITS = {
    "Max open files": "RLIMIT_NOFILE", "Max file size": "RLIMIT_FSIZE", "Max locked memory": "RLIMIT_MEMLOCK",
}  # fmt: skip
LOCKED = re.compile(r"^VmLck:\s+(\d+) kB", re.MULTILINE)
MAP_LIMIT = Path("/proc/sys/vm/max_map_count")
INOTIFY = Path("/proc/sys/fs/inotify")  # limits of a user; what is counted is this process' part of them
SHARED = "/dev/shm"
DOTS = 2  # `ls -f` lists the folder itself and its parent, too


class LimitUseProbe(Probe):
    """Samples descriptors, mappings, locked memory and shared memory with their limits."""

    name = "limit use"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        super().__init__(watched)
        self._home = Path(f"/proc/{watched.pid}")
        self._most_maps = _setting(MAP_LIMIT)
        self._most_watched = [_setting(INOTIFY / name) for name in ("max_user_instances", "max_user_watches")]
        self._file = Appender(watched.folder / LIMIT_USE)

    @classmethod
    def missing(cls) -> str | None:
        """Return why there is nothing to read on this system."""
        return None if sys.platform == "linux" else "descriptors and mappings are counted on Linux only"

    def sample(self, now: float) -> None:
        """Append one row, and set the pace of the next."""
        before = time.perf_counter()
        self._file.write({"t": round(now, 4), "limits": [*self._counted(), *self._locked(), *_shared()]})
        self.interval_seconds = max(FASTEST_SECONDS, (time.perf_counter() - before) / SHARE_OF_TIME)

    def close(self) -> None:
        """Close the record."""
        self._file.close()

    def _counted(self) -> list[dict[str, Any]]:
        """Return descriptors, mappings and what inotify watches; a process that has ended has none."""
        words = run_tool(["sh", "-c", COUNT, "count", str(self._home)]).stdout.split()
        counts = [int(word) for word in words if word.isdigit()]
        if len(counts) < 4 or not counts[1]:
            return []
        files = _row("RLIMIT_NOFILE", self._limits().get("RLIMIT_NOFILE"), max(0, counts[0] - DOTS))
        instances = _row("fs.inotify.max_user_instances", self._most_watched[0], counts[2])
        watches = _row("fs.inotify.max_user_watches", self._most_watched[1], counts[3])
        return [*files, *_row("vm.max_map_count", self._most_maps, counts[1]), *instances, *watches]

    def _locked(self) -> list[dict[str, Any]]:
        """Return locked memory, and the largest file that may be written (its use is told by no counter)."""
        limits, status = self._limits(), self._home / "status"
        locked = LOCKED.search(status.read_text(errors="replace")) if status.exists() else None
        used = int(locked[1]) * 1024 if locked else None
        rows = [] if used is None else _row("RLIMIT_MEMLOCK", limits.get("RLIMIT_MEMLOCK"), used)
        return [*rows, *_row("RLIMIT_FSIZE", limits.get("RLIMIT_FSIZE"), None)]

    def _limits(self) -> dict[str, int]:
        """Return the soft limits that are set; /proc/PID/limits stays as long as the process is not reaped."""
        path = self._home / "limits"
        lines = path.read_text().splitlines() if path.exists() else []
        soft = {LIMITS[line[:25].strip()]: line[25:].split()[0] for line in lines if line[:25].strip() in LIMITS}
        return {name: int(text) for name, text in soft.items() if text.isdigit()}


def _setting(path: Path) -> int | None:
    return int(path.read_text()) if path.exists() else None


def _row(name: str, limit: int | None, used: int | None) -> list[dict[str, Any]]:
    return [] if limit is None else [{"name": name, "limit": limit, "used": used}]


def _shared() -> list[dict[str, Any]]:
    if not os.path.ismount(SHARED):
        return []
    found = os.statvfs(SHARED)
    total, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    return _row(SHARED, total, total - free) if total else []
