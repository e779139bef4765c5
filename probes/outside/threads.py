"""Each thread's name and CPU time, once a second, into threads.jsonl."""

from __future__ import annotations

import sys

import psutil

from probes.outside.probe import Probe, Watched
from probes.records import THREADS, Appender


class ThreadsProbe(Probe):
    """Samples CPU time per thread: who works, who waits, who spins."""

    name = "threads"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        super().__init__(watched)
        self._process = psutil.Process(watched.pid)
        self._file = Appender(watched.folder / THREADS)

    def sample(self, now: float) -> None:
        """Append one line: every thread's id, user and system seconds."""
        if sys.platform == "win32" and not self._process.is_running():
            return
        threads = self._process.as_dict(["threads"], ad_value=None)["threads"] or []
        rows = [
            {"id": thread.id, "user_seconds": thread.user_time, "system_seconds": thread.system_time}
            for thread in threads
        ]
        if rows:
            self._file.write({"t": round(now, 4), "count": len(rows), "threads": rows})

    def close(self) -> None:
        """Close the record."""
        self._file.close()
