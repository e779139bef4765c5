"""What the system refused the target: its system calls that came back with an error of want, into refusals.jsonl.

The tracepoint raw_syscalls:sys_exit, filtered in the kernel by the error and to the target's tree, itself and whatever
it starts. The first row says from when on it was watched: what the interpreter was refused in the few milliseconds
before that is not seen. Nor is what the kernel does not answer with an error: a refused brk(2) returns the old end (the
allocator's mmap that follows is seen), a page that cannot be had is an OOM kill.
"""

from __future__ import annotations

import dataclasses
import errno
import time
from typing import Any

from probes import records
from probes.outside.probe import Probe, Watched
from probes.outside.system import about, calls, rows, tracefs, tree
from probes.outside.system.instance import Instance, remove_stale
from probes.outside.system.rows import Row

EXIT, BIRTH = "raw_syscalls/sys_exit", "task/task_newtask"
TELL_SECONDS = 2.0
MOST_KINDS = 256  # each costs a look at the process; a program is refused few kinds of things
Key = tuple[str, str, int]


@dataclasses.dataclass
class Refusal:
    """One kind: how often so far, the last time, the thread it struck then; `told` is the count that was written."""

    thread: int
    first: float
    last: float
    count: int = 0
    told: int = 0


class RefusalsProbe(Probe):
    """Watches the errors of the tree's system calls; the first of each kind is looked into at once."""

    name = "refusals"

    def __init__(self, watched: Watched) -> None:
        """Begin with all that the child has become by now."""
        super().__init__(watched)
        self.interval_seconds = 0.0  # with every round: what it was about is soon gone
        self._names = calls.names()
        self._kinds: dict[Key, Refusal] = {}
        self._tell_due = 0.0
        self._trace = Instance("refusals")
        self._tree = tree.Tree(watched.pid)
        self._trace.follow(self._tree.threads)
        self._trace.enable(BIRTH)
        self._trace.enable(EXIT, calls.condition())
        self._trace.shrink()
        self._file = records.Appender(watched.folder / records.REFUSALS)
        self._begin()

    @classmethod
    def missing(cls) -> str | None:
        """Return why refusals cannot be seen here, and what would permit it."""
        return tracefs.missing(EXIT, BIRTH)

    def sample(self, now: float) -> None:
        """Take what has come; tell of new kinds at once, of counts at a slow pace."""
        for row in self._trace.read(now):
            self._take(row)
        if now >= self._tell_due:
            self._tell_due = now + TELL_SECONDS
            self._tell_counts()

    def before_end(self, reason: str) -> bool:
        """Take what has come before the harness' own kill."""
        self.sample(time.perf_counter())
        return False

    def close(self) -> None:
        """Take the rest, write all counts, and remove the trace."""
        for row in self._trace.drain():
            self._take(row)
        self._tell_counts()
        if self._trace.lost:
            self._file.write({"t": time.perf_counter(), "event": "lost", "count": self._trace.lost})
        self._file.close()
        self._trace.close()

    def _begin(self) -> None:
        now = time.perf_counter()
        if self._trace.error:
            reason = f"the kernel refused a trace of our own: {self._trace.error}"
            records.append(self.watched.folder / records.GAPS, {"probe": self.name, "reason": reason})
            return
        after = round(now - self.watched.started, 4)
        self._file.write({"t": now, "event": "watching", "since_launch_seconds": after, "threads": self._tree.threads})
        remove_stale()

    def _take(self, row: Row) -> None:
        self._tree.take(row)
        match = rows.CALL.match(row.text) if row.event == "sys_exit" else None
        if match is None:
            return
        number = int(match["id"])
        call, error = self._names.get(number, f"system call {number}"), errno.errorcode[-int(match["ret"])]
        pid = self._tree.process_of(row.thread) or tree.process_of(row.thread) or row.thread
        self._count(row, (call, error, pid))

    def _count(self, row: Row, key: Key) -> None:
        is_new = key not in self._kinds and len(self._kinds) < MOST_KINDS
        if is_new:
            self._kinds[key] = Refusal(row.thread, row.t, row.t)
        known = self._kinds.get(key)
        if known is not None:
            known.count, known.last, known.thread = known.count + 1, row.t, row.thread
        if known is not None and is_new:
            self._write(key, known, "refused", {"name": row.comm, "about": about.of(*key)})

    def _tell_counts(self) -> None:
        for key, known in self._kinds.items():
            if known.count != known.told:
                self._write(key, known, "count", {})

    def _write(self, key: Key, known: Refusal, event: str, more: dict[str, Any]) -> None:
        call, error, pid = key
        known.told = known.count
        self._file.write({
            "t": known.last, "event": event, "call": call, "error": error, "pid": pid, "thread": known.thread,
            "first": known.first, "last": known.last, "count": known.count, **more,
        })  # fmt: skip
