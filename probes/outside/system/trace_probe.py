"""What the probes of this room have in common: a trace of their own, its rows taken as they come, and their record."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any

from probes import records
from probes.outside.probe import Probe, Watched
from probes.outside.system import tree
from probes.outside.system.instance import Instance
from probes.outside.system.rows import Row


class TraceProbe(Probe):
    """Follows a trace instance called by `instance`, and writes what it says into the file `record`."""

    instance: str
    record: str

    def __init__(self, watched: Watched) -> None:
        """Make the trace; which events it has, and from when on, each probe says itself."""
        super().__init__(watched)
        self.interval_seconds = 0.0  # with every round: who and what it was about is soon gone
        self._trace = Instance(self.instance)
        self._tree: tree.Tree
        self._file: records.Appender

    def sample(self, now: float) -> None:
        """Take what has come."""
        for row in self._trace.read(now):
            self._take(row)

    def before_end(self, reason: str) -> bool:
        """Take what has come before the harness' own kill."""
        self.sample(time.perf_counter())
        return False

    def close(self) -> None:
        """Take the rest, write what was held back, and remove the trace."""
        for row in self._trace.drain():
            self._take(row)
        self._write_held()
        if self._trace.lost:
            self._file.write({"t": time.perf_counter(), "event": "lost", "count": self._trace.lost})
        self._file.close()
        self._trace.close()

    def _begin(self, **more: Any) -> bool:
        """Open the record, whose first row says since when is watched; False, and a gap, where there is no trace."""
        self._file = records.Appender(self.watched.folder / self.record)
        now = time.perf_counter()
        if self._trace.error:
            reason = f"the kernel refused a trace of our own: {self._trace.error}"
            records.append(self.watched.folder / records.GAPS, {"probe": self.name, "reason": reason})
            return False
        after = round(now - self.watched.started, 4)
        self._file.write({"t": now, "event": "watching", "since_launch_seconds": after, **more})
        return True

    @abstractmethod
    def _take(self, row: Row) -> None:
        """Take one row of the trace."""

    @abstractmethod
    def _write_held(self) -> None:
        """Write what was held back until the end."""
