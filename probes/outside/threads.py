"""Each thread's name and CPU time, once a second, into threads.jsonl."""

from __future__ import annotations

import sys
from collections.abc import Callable

import psutil

from probes.outside.probe import Probe, Watched
from probes.records import THREADS, Appender


class ThreadsProbe(Probe):
    """Samples CPU time per thread: who works, who waits, who spins."""

    name = "threads"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        super().__init__(watched)
        self._read = _reader(watched.pid)
        self._file = Appender(watched.folder / THREADS)

    def sample(self, now: float) -> None:
        """Append one line: every thread's id, user and system seconds."""
        rows = [{"id": thread, "user_seconds": user, "system_seconds": system} for thread, user, system in self._read()]
        if rows:
            self._file.write({"t": round(now, 4), "count": len(rows), "threads": rows})

    def close(self) -> None:
        """Close the record."""
        self._file.close()


def _reader(pid: int) -> Callable[[], list[tuple[int, float, float]]]:
    if sys.platform == "win32":  # not psutil: it raises once the process has ended
        from probes.outside import win32

        return win32.Process(pid).threads
    process = psutil.Process(pid)
    return lambda: [tuple(thread) for thread in process.as_dict(["threads"], ad_value=None)["threads"] or []]
