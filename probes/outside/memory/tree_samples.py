"""The whole process tree and the machine, at a slow pace, into memory.jsonl as rows of their own (`tree_...`).

A scan of all processes costs with their number, so the pace adapts: at most one part in two hundred of a core is spent.
"""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import psutil

from probes.outside.memory.smaps_rollup import Rollup
from probes.outside.probe import Probe, Watched
from probes.records import MEMORY, Appender

SHARE_OF_TIME = 0.005
FASTEST_SECONDS = 1.0


class Member(NamedTuple):
    """One process of the tree; sizes in bytes, 0 where they may not be read."""

    pid: int
    rss: int
    vms: int


class TreeProbe(Probe):
    """Samples descendants' count, RSS, VMS, PSS and USS, and the memory that the machine still has."""

    name = "process tree"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        super().__init__(watched)
        self.interval_seconds = FASTEST_SECONDS
        self._rollup = Rollup()
        self._file = Appender(watched.folder / MEMORY)

    def sample(self, now: float) -> None:
        """Append one line and set the pace of the next."""
        before = time.thread_time()  # what it costs, not how long others let it wait
        tree = descendants(self.watched.pid)
        self._file.write({
            "t": round(now, 4), "processes": len(tree), "tree_rss_bytes": sum(member.rss for member in tree),
            "tree_vms_bytes": sum(member.vms for member in tree), **machine(), **self._pages(tree),
        })  # fmt: skip
        self.interval_seconds = max(FASTEST_SECONDS, (time.thread_time() - before) / SHARE_OF_TIME)

    def _pages(self, tree: list[Member]) -> dict[str, float]:
        """Return `tree_pss_bytes` and its like; of one process alone the other probe tells (pressure.jsonl)."""
        if sys.platform != "linux" or len(tree) < 2 or time.perf_counter() < self._rollup.due:
            return {}
        found, _ = self._rollup.read(member.pid for member in tree)
        return {f"tree_{name}": value for name, value in found.items()}

    def close(self) -> None:
        """Close the record."""
        self._file.close()


def machine() -> dict[str, int]:
    """Return what the machine still has. On Windows it is the commit that ends, and psutil.swap_memory() may raise."""
    if sys.platform == "win32":
        from probes.outside.machine import win32

        available, commit = win32.machine()
        return {"available_bytes": available, "commit_available_bytes": commit}
    return {"available_bytes": psutil.virtual_memory().available, "swap_free_bytes": psutil.swap_memory().free}


def descendants(root: int) -> list[Member]:
    """Return the process and all its descendants; the gone are skipped, never an error."""
    rows = {process.pid: process.info for process in psutil.process_iter(["ppid", "memory_info"])}
    found, frontier, seen = [], [root], {root}  # `seen`: where pids are reused, parents can form a circle
    while frontier:
        pid = frontier.pop()
        memory = rows[pid]["memory_info"] if pid in rows else None
        found.append(Member(pid, memory.rss, memory.vms) if memory else Member(pid, 0, 0))
        children = {child for child, info in rows.items() if info["ppid"] == pid} - seen
        seen |= children
        frontier += children
    return found
