"""A trace instance of our own: its own buffer, its own switches; nobody else's tracing is touched.

It is named `inquest-PID-LABEL-N` and removed at its close. What a supervisor that was killed has left behind is removed
by the next: the name tells whose it was, and the kernel refuses to remove one that is in use.
Source: the kernel's Documentation/trace/ftrace.rst ("Instances", `set_event_pid`, `event-fork`, `trace_marker`).
"""

from __future__ import annotations

import itertools
import os
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from probes.outside.system import quiet, rows, tracefs
from probes.outside.system.rows import Row

PREFIX = "inquest-"
BUFFER_KB = 256  # for each processor; the kernel's own default is 1408
MANY_PROCESSORS = 8  # with fewer, the default costs less than the time to change it
MOST_BYTES = 1 << 16  # a read: the rest comes with the next one, or is overwritten and counted as lost
DRAIN_READS = 3  # a read may end before the buffer is empty
MARK_SECONDS = 10.0
MARK = "inquest clock "
_numbers = itertools.count(1)


class Instance:
    """Made with nothing switched on: `enable` events, `read` their rows; `close` switches off and removes.

    `pipe`: the descriptor that becomes readable when a row has come. `error`: what the kernel refused, in words, or
    None; then there is nothing to read. The kernel's clock of a new instance is not ours, and setting another takes it
    25 ms: marks with our time, written now and then, tell the difference. `since`: when the last event was enabled.
    `why`: why this way, where there is a better one.
    """

    def __init__(self, label: str, why: str = "") -> None:
        """Make the instance, with nothing switched on."""
        self.why = why
        root = tracefs.root()
        assert root is not None, "missing() is asked first"
        self.lost = 0
        self.since = 0.0
        self.error: str | None = None
        self._apart = 0.0
        self._mark_due = 0.0
        self._rest = b""
        self.path = root / "instances" / f"{PREFIX}{os.getpid()}-{label}-{next(_numbers)}"
        self._note("mkdir", quiet.make_directory(self.path))
        self.pipe = quiet.open_file(self.path / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self._note("trace_pipe", -min(0, self.pipe))
        self._poll = select.poll()  # type: ignore[attr-defined,unused-ignore]  # Linux only, as is this module
        if self.pipe >= 0:
            self._poll.register(self.pipe, select.POLLIN)  # type: ignore[attr-defined,unused-ignore]
        self._set("buffer_percent", "0")  # poll(2) answers at the first row, not when the buffer is half full
        self.mark()

    def follow(self, threads: list[int]) -> None:
        """Have only these threads traced, and whatever they start; in addition to those that are already."""
        self._set("options/event-fork", "1")
        self._set("set_event_pid", " ".join(map(str, threads)), os.O_APPEND)

    def enable(self, event: str, condition: str | None = None) -> None:
        """Switch a tracepoint (`system/name`) on, for the rows that fulfil the condition."""
        if condition:
            self._set(f"events/{event}/filter", condition)
        self._set(f"events/{event}/enable", "1")
        self.since = time.perf_counter()

    def shrink(self) -> None:
        """Give the buffers of a machine with many processors a modest size; what was recorded stays."""
        if (os.cpu_count() or 1) > MANY_PROCESSORS:
            self._set("buffer_size_kb", str(BUFFER_KB))

    def mark(self) -> None:
        """Write our own time into the trace."""
        now = time.perf_counter()
        self._mark_due = now + MARK_SECONDS
        self._set("trace_marker", f"{MARK}{now:.6f}")

    def read(self, now: float, most: int = MOST_BYTES) -> list[Row]:
        """Return the events that have come, their times on time.perf_counter()'s clock; never waits."""
        if self.error:
            return []
        if now >= self._mark_due:
            self.mark()
        return list(self._rows(self._bytes(most)))

    def close(self) -> None:
        """Switch everything off and remove the instance, in the background: that takes the kernel 0.1 s."""
        self._set("events/enable", "0")
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1
        threading.Thread(target=quiet.remove_directory, args=(self.path,), name="remove trace instance").start()

    def drain(self) -> list[Row]:
        """Return what is left, as far as it is worth reading."""
        return [row for _ in range(DRAIN_READS) for row in self.read(0.0, 16 * MOST_BYTES)]

    def _bytes(self, most: int) -> bytes:
        parts: list[bytes] = []
        while sum(map(len, parts)) < most and self._poll.poll(0) and (part := quiet.read_some(self.pipe)):
            parts.append(part)
        whole, _, self._rest = (self._rest + b"".join(parts)).rpartition(b"\n")
        return whole

    def _rows(self, text: bytes) -> Iterator[Row]:
        for line in text.decode(errors="replace").split("\n") if text else ():
            self.lost += rows.lost(line)
            row = rows.parse(line)
            if row is not None and row.event == "tracing_mark_write":
                self._set_clock(row)
            elif row is not None:
                yield Row(row.comm, row.thread, row.t + self._apart, row.event, row.text)

    def _set_clock(self, row: Row) -> None:
        if row.text.startswith(MARK):
            self._apart = float(row.text.removeprefix(MARK)) - row.t

    def _set(self, name: str, text: str, more: int = os.O_TRUNC) -> None:
        if not self.error:
            self._note(name, quiet.write_text(self.path / name, text, more))

    def _note(self, name: str, number: int) -> None:
        if number and not self.error:
            self.error = f"{name}: {os.strerror(number)}"


def remove_stale() -> None:
    """Remove, in the background, the instances of supervisors that are no more."""
    root = tracefs.root()
    stale = [path for path in _instances(root / "instances") if not _is_alive(path)] if root else []
    for path in stale:
        threading.Thread(target=quiet.remove_directory, args=(path,), name="remove stale trace instance").start()


def _instances(folder: Path) -> list[Path]:
    return [folder / name for name in quiet.names_in(folder) if name.startswith(PREFIX)]


def _is_alive(path: Path) -> bool:
    pid = path.name.removeprefix(PREFIX).partition("-")[0]
    return not pid.isdigit() or os.path.isdir(f"/proc/{pid}")
