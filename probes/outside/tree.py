"""The whole process tree and the machine, at a slow pace, into memory.jsonl as rows of their own (`tree_...`).

A scan of all processes costs with their number, so the pace adapts: at most one part in a hundred of the time is spent.
"""

from __future__ import annotations

import sys
import time

import psutil

from probes.outside.probe import Probe, Watched
from probes.records import MEMORY, Appender

SHARE_OF_TIME = 0.005
FASTEST_SECONDS = 1.0


class TreeProbe(Probe):
    """Samples descendants' count and RSS, and the memory that the machine still has."""

    name = "process tree"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        super().__init__(watched)
        self.interval_seconds = FASTEST_SECONDS
        self._file = Appender(watched.folder / MEMORY)

    def sample(self, now: float) -> None:
        """Append one line and set the pace of the next."""
        before = time.perf_counter()
        tree = descendants(self.watched.pid)
        self._file.write({
            "t": round(now, 4), "processes": len(tree), "tree_rss_bytes": sum(rss for _, rss in tree),
            **machine(),
        })  # fmt: skip
        self.interval_seconds = max(FASTEST_SECONDS, (time.perf_counter() - before) / SHARE_OF_TIME)

    def close(self) -> None:
        """Close the record."""
        self._file.close()


def machine() -> dict[str, int]:
    """Return what the machine still has. On Windows it is the commit that ends, and psutil.swap_memory() may raise."""
    if sys.platform == "win32":
        from probes.outside import win32

        available, commit = win32.machine()
        return {"available_bytes": available, "commit_available_bytes": commit}
    return {"available_bytes": psutil.virtual_memory().available, "swap_free_bytes": psutil.swap_memory().free}


def descendants(root: int) -> list[tuple[int, int]]:
    """Return (pid, RSS in bytes) of the process and all its descendants; the gone are skipped, never an error."""
    rows = {process.pid: process.info for process in psutil.process_iter(["ppid", "memory_info"])}
    found, frontier, seen = [], [root], {root}  # `seen`: where pids are reused, parents can form a circle
    while frontier:
        pid = frontier.pop()
        memory = rows[pid]["memory_info"] if pid in rows else None
        found.append((pid, memory.rss if memory else 0))
        children = {child for child, info in rows.items() if info["ppid"] == pid} - seen
        seen |= children
        frontier += children
    return found
