"""What the system refused the target: its system calls that came back with an error of want, into refusals.jsonl.

The tracepoint raw_syscalls:sys_exit, filtered in the kernel by the error and to the target's tree, itself and whatever
it starts, from its first instruction on. What the kernel does not answer with an error is not seen: a refused brk(2)
returns the old end (the allocator's mmap that follows is seen), a page that cannot be had is an OOM kill.
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
from probes.outside.system.instance import Instance, remove_stale
from probes.outside.system.rows import Row
from probes.outside.system.trace_probe import TraceProbe

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


class RefusalsProbe(TraceProbe):
    """Watches the errors of the tree's system calls; the first of each kind is looked into at once."""

    name = "refusals"

    def __init__(self, watched: Watched) -> None:
        """Begin with all that the child has become by now."""
        self._names = calls.names()
        self._kinds: dict[Key, Refusal] = {}
        self._tell_due = 0.0
        super().__init__(watched, records.REFUSALS)
        remove_stale()

    @classmethod
    def missing(cls) -> str | None:
        """Return why refusals cannot be seen here, and what would permit it."""
        return tracefs.missing(EXIT, BIRTH)

    @classmethod
    def arm(cls, trace: Instance) -> None:
        """Trace what this thread starts, and of its calls only the refused ones."""
        trace.follow([threading.get_native_id()])
        trace.enable(BIRTH)
        trace.enable(EXIT, calls.condition())

    def join(self) -> None:
        """Trace the tree, whoever launched it."""
        self.trace.follow(self.tree.threads)

    def take(self, row: Row) -> None:
        """Count a refusal; write the first of its kind."""
        self.tree.take(row)
        match = rows.CALL.match(row.text) if row.event == "sys_exit" else None
        pid = self.tree.process_of(row.thread)
        if match is None or pid is None:  # the supervisor's own thread, and its tools, are traced with it
            return
        number = int(match["id"])
        call, error = self._names.get(number, f"system call {number}"), errno.errorcode[-int(match["ret"])]
        self._count(row, (call, error, pid))

    def tell(self) -> None:
        """Write the counts that have changed, at a slow pace."""
        if time.perf_counter() >= self._tell_due:
            self._tell_due = time.perf_counter() + TELL_SECONDS
            self._tell_counts()

    def close(self) -> None:
        """Write all counts."""
        self._tell_due = 0.0
        super().close()

    def _count(self, row: Row, key: Key) -> None:
        is_new = key not in self._kinds and len(self._kinds) < MOST_KINDS
        if is_new:
            self._kinds[key] = Refusal(row.thread, row.t, row.t)
        known = self._kinds.get(key)
        if known is not None:
            known.count, known.last, known.thread = known.count + 1, row.t, row.thread
        if known is not None and is_new:
            found = about.of(*key)
            seen = {"after_seconds": round(time.perf_counter() - row.t, 4)} if found else {}  # it may have changed
            self._write(key, known, "refused", {"name": row.comm, "about": {**found, **seen}})

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
