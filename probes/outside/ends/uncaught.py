"""Looks at what a process has in use while an uncaught error holds it (probes/inside/looked_at.py), and lets it go on.

The cost of waiting is one stat(2) a process and sample.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from probes import records
from probes.outside.ends import at_death
from probes.outside.probe import Probe, Watched

MARK = "error.seen"
INTERVAL_SECONDS = 0.05
MOST_LOOKS = 8  # of a trial's processes: where many end at once, the first ones tell


class UncaughtProbe(Probe):
    """Waits for the records of uncaught errors, of the observed process and of its descendants."""

    name = "uncaught errors"

    def __init__(self, watched: Watched) -> None:
        """Have seen nothing yet."""
        super().__init__(watched)
        self.interval_seconds = INTERVAL_SECONDS
        self._places = {watched.pid: watched.folder}
        self._seen: set[int] = set()

    @classmethod
    def missing(cls) -> str | None:
        """Return why limits cannot be read here."""
        return None if sys.platform == "linux" else "the limits of a process are read on Linux only"

    def sample(self, now: float) -> None:
        """Look once at each process that has recorded an error, and answer it."""
        self._find()
        for pid, folder in self._places.items():
            if pid not in self._seen and _has_error(folder):
                self._seen.add(pid)
                if len(self._seen) <= MOST_LOOKS:
                    at_death.take(self.watched.folder, pid, "uncaught error")
                (folder / MARK).touch()

    def _find(self) -> None:
        others = self.watched.folder / records.PROCESSES
        for entry in os.scandir(others) if others.is_dir() else ():
            if entry.name.isdigit():
                self._places.setdefault(int(entry.name), Path(entry.path))


def _has_error(folder: Path) -> bool:
    path = folder / records.PYTHON_ERROR
    return path.exists() and path.stat().st_size > 0
