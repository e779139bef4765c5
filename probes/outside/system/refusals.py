"""What the system refused the target: its system calls that came back with an error of want, into refusals.jsonl.

Seen at the tracepoint raw_syscalls:sys_exit, of the target's tree, itself and whatever it starts, from its first
instruction on: counted by programs of our own in the kernel where it permits them (counter.py), else in a trace
instance, filtered by the kernel. What the kernel does not answer with an error is not seen: a refused brk(2) returns
the old end (the allocator's mmap that follows is seen), a page that cannot be had is an OOM kill.
"""

from __future__ import annotations

import dataclasses
import errno
import threading
import time
from typing import Any

from probes import records
from probes.outside.probe import Watched
from probes.outside.system import about, calls, rows, tracefs
from probes.outside.system.counter import Counter, Refused
from probes.outside.system.instance import Instance, remove_stale
from probes.outside.system.rows import Row
from probes.outside.system.trace_probe import TraceProbe

EXIT, BIRTH = "raw_syscalls/sys_exit", "task/task_newtask"
TELL_SECONDS = 2.0
SLOWER = (
    "refusals are seen by a trace, which costs the target about 0.2 us for each system call (at 10^5 calls a second "
    "more than 2 % of its time); no program of ours can run in the kernel, which would cost half of it"
)
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
    counted: Refused | None = None  # by the kernel, which is asked how often it was


class RefusalsProbe(TraceProbe):
    """Watches the errors of the tree's system calls; the first of each kind is looked into at once."""

    name = "refusals"
    trace: Counter | Instance

    def __init__(self, watched: Watched) -> None:
        """Begin with all that the child has become by now."""
        self._names = calls.names()
        self._kinds: dict[Key, Refusal] = {}
        self._tell_due = 0.0
        super().__init__(watched, records.REFUSALS)
        remove_stale()
        if isinstance(self.trace, Instance) and not self.trace.error:
            records.append(watched.folder / records.GAPS, {"probe": self.name, "reason": f"{SLOWER}: {self.trace.why}"})

    @classmethod
    def missing(cls) -> str | None:
        """Return why refusals cannot be seen here, and what would permit it."""
        return tracefs.missing(EXIT, BIRTH)

    @classmethod
    def open(cls) -> Counter | Instance:
        """Watch what this thread starts, and of its calls only the refused ones."""
        counter = Counter()
        if counter.error is None:
            return counter
        counter.close()
        return traced(cls.name, counter.error)

    def join(self) -> None:
        """Watch the tree, whoever launched it."""
        if isinstance(self.trace, Counter):
            self.trace.follow(self.tree.threads, self.watched.pid)
        else:
            self.trace.follow(self.tree.threads)

    def described(self) -> dict[str, Any]:
        """Return by what it is seen: a program in the kernel, or a trace, and why not by the former."""
        return {"by": "program"} if isinstance(self.trace, Counter) else {"by": "trace", "why": self.trace.why}

    def take(self, row: Row | Refused) -> None:
        """Count a refusal; write the first of its kind."""
        if isinstance(row, Row):
            self._take_row(row)
        elif row.root == self.watched.pid:  # the supervisor's own thread, and its tools, are watched with it
            self._note(row.call, row.error, row.pid, Refusal(row.thread, row.first, row.last, counted=row), row.name)

    def tell(self) -> None:
        """Write the counts that have changed, at a slow pace."""
        if time.perf_counter() >= self._tell_due:
            self._tell_due = time.perf_counter() + TELL_SECONDS
            self._ask_counts()
            self._tell_counts()

    def close(self) -> None:
        """Write all counts."""
        self._tell_due = 0.0
        super().close()

    def _take_row(self, row: Row) -> None:
        self.tree.take(row)
        match = rows.CALL.match(row.text) if row.event == "sys_exit" else None
        pid = self.tree.process_of(row.thread)
        if match is not None and pid is not None:
            self._note(int(match["id"]), -int(match["ret"]), pid, Refusal(row.thread, row.t, row.t), row.comm)

    def _note(self, call: int, error: int, pid: int, refusal: Refusal, name: str) -> None:
        key = (self._names.get(call, f"system call {call}"), errno.errorcode[error], pid)
        is_new = key not in self._kinds
        if is_new and len(self._kinds) >= MOST_KINDS:
            return
        known = self._kinds.setdefault(key, refusal)
        known.count, known.last, known.thread = known.count + 1, refusal.last, refusal.thread
        if is_new:
            found = about.of(*key)
            seen = {"after_seconds": round(time.perf_counter() - known.last, 4)} if found else {}  # it may have changed
            self._write(key, known, "refused", {"name": name, "about": {**found, **seen}})

    def _ask_counts(self) -> None:
        for known in self._kinds.values():
            if isinstance(self.trace, Counter) and known.counted is not None:
                now = self.trace.again(known.counted)
                known.count, known.last, known.thread = now.count, now.last, now.thread

    def _tell_counts(self) -> None:
        for key, known in self._kinds.items():
            if known.count != known.told:
                self._write(key, known, "count", {})

    def _write(self, key: Key, known: Refusal, event: str, more: dict[str, Any]) -> None:
        call, error, pid = key
        known.told = known.count
        self.file.write({
            "t": known.last, "event": event, "call": call, "error": error, "pid": pid, "thread": known.thread,
            "first": known.first, "last": known.last, "count": known.count, **more,
        })  # fmt: skip


def traced(name: str, why: str) -> Instance:
    """Return a trace of the refused calls of what this thread starts; `why` there is nothing better."""
    trace = Instance(name, why)
    trace.follow([threading.get_native_id()])
    trace.enable(BIRTH)
    trace.enable(EXIT, calls.condition())
    trace.shrink()
    return trace
