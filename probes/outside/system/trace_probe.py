"""What both probes of direct evidence are: a source of rows, the tree that it is about, and a thread that reads it.

The thread sleeps in poll(2) until a row comes: what a refusal was about, and who a sender was, is gone within
milliseconds, sooner than the next sample. After each read it pauses, so that a flood of rows costs little; what comes
meanwhile is read next, or overwritten in the kernel's buffer and counted as lost.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from probes import records
from probes.outside.probe import Probe, Watched
from probes.outside.system.tree import Tree

PAUSE_SECONDS = 0.01
LONGEST_MILLISECONDS = 1000


class Source(Protocol):
    """Where rows come from: a trace instance of the kernel's, or a program of ours in the kernel."""

    pipe: int
    error: str | None
    since: float

    @property
    def lost(self) -> int:
        """How many rows never came."""

    def read(self, now: float) -> Sequence[Any]:
        """Return what has come."""

    def drain(self) -> Sequence[Any]:
        """Return what is left."""

    def close(self) -> None:
        """Give it back."""


class TraceProbe(Probe):
    """A subclass says where its rows come from (`open`), what to do with a row (`take`), and at a slow pace (`tell`).

    The source is open before the launch (`prepare`), so that the child is seen from its first instruction.
    """

    _ready = threading.local()  # a trial runs in one thread, others may run beside it

    def __init__(self, watched: Watched, record: str) -> None:
        """Take what was prepared, and begin to read."""
        super().__init__(watched)
        self.prepare()
        self.interval_seconds = self.due = float("inf")  # the thread needs no samples
        self.trace: Source = vars(self._ready).pop(self.name)
        self.tree = Tree(watched.pid)
        self.join()
        self.file = records.Appender(Path(watched.folder) / record)
        self._begin()
        self._wake, self._woken = os.pipe()[::-1]  # what is written here ends the thread at once
        self._thread = threading.Thread(target=self._follow, name=self.name, daemon=True)
        self._thread.start()

    @classmethod
    def prepare(cls) -> None:
        """Open the source; what was prepared for a launch that failed serves the next."""
        if cls.missing() is None and cls.name not in vars(cls._ready):
            vars(cls._ready)[cls.name] = cls.open()

    @classmethod
    def open(cls) -> Source:
        """Open the source of rows, in the thread that launches."""
        raise NotImplementedError

    def join(self) -> None:
        """Make sure that the tree is watched, as far as it has come."""

    def take(self, row: Any) -> None:
        """Take one row."""

    def tell(self) -> None:
        """Write what was only counted so far."""

    def described(self) -> dict[str, Any]:
        """Return what the first row says besides, of the way in which it watches."""
        return {}

    def close(self) -> None:
        """Take the rest, write what was only counted, and remove the trace."""
        os.write(self._wake, b".")
        self._thread.join()
        for row in self.trace.drain():
            self.take(row)
        self.tell()
        if self.trace.lost:
            self.file.write({"t": time.perf_counter(), "event": "lost", "count": self.trace.lost})
        self.file.close()
        self.trace.close()
        for descriptor in (self._wake, self._woken):
            os.close(descriptor)

    def _begin(self) -> None:
        if self.trace.error:
            reason = f"the kernel refused a trace of our own: {self.trace.error}"
            records.append(self.watched.folder / records.GAPS, {"probe": self.name, "reason": reason})
            return
        since = round(self.trace.since - self.watched.started, 4)  # negative: before the launch
        self.file.write({
            "t": self.trace.since, "event": "watching", "since_launch_seconds": since, "threads": self.tree.threads,
            **self.described(),
        })  # fmt: skip

    def _follow(self) -> None:
        poll = select.poll()  # type: ignore[attr-defined,unused-ignore]  # Linux only, as is this probe
        for descriptor in (self._woken, *([] if self.trace.error else [self.trace.pipe])):
            poll.register(descriptor, select.POLLIN)  # type: ignore[attr-defined,unused-ignore]
        ready: list[int] = []
        while self._woken not in ready:
            for row in self.trace.read(time.perf_counter()):
                self.take(row)
            self.tell()
            time.sleep(PAUSE_SECONDS)
            ready = [descriptor for descriptor, _ in poll.poll(LONGEST_MILLISECONDS)]
