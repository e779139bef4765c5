"""Sees when each Python process of the trial ends, and how where that can be seen, into ends.jsonl.

A process descriptor becomes readable at the very instant of the end (pidfd_open(2)), whoever reaps the process; its
status can be read as long as nobody has reaped it (proc_pid_stat(5), field 52). Where its parent was quicker, the
parent's own record says what wait(2) gave it (children.jsonl).
"""

from __future__ import annotations

import ctypes
import os
import platform
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from probes import records
from probes.outside.probe import Probe, Watched

PIDFD_OPEN = 434  # the same number on every architecture
SCAN_SECONDS = 0.04
EXIT_CODE_FIELD = 49  # of the fields after the program's name
PATIENCE_BYTES = 4096


class EndsProbe(Probe):
    """Watches the observed process and its descendants that have a folder, in a thread that sleeps until one ends.

    `deaths` counts the descendants that have ended badly so far (by a signal other than SIGTERM, or with a code).
    """

    name = "process ends"

    def __init__(self, watched: Watched) -> None:
        """Begin with the observed process."""
        super().__init__(watched)
        self.interval_seconds = SCAN_SECONDS
        self.deaths = 0
        self._known: set[int] = set()
        self._open: dict[int, int] = {}  # descriptor -> pid
        self._file = records.Appender(watched.folder / records.ENDS)
        self._epoll = select.epoll()  # type: ignore[attr-defined,unused-ignore]  # Linux only, as is this probe
        self._wake, self._woken = os.pipe()[::-1]  # what is written here ends the thread at once
        self._epoll.register(self._woken, select.EPOLLIN)  # type: ignore[attr-defined,unused-ignore]
        self._thread = threading.Thread(target=self._follow, name="ends", daemon=True)
        self._add(watched.pid)
        self._thread.start()

    @classmethod
    def missing(cls) -> str | None:
        """Return why ends cannot be seen here."""
        if sys.platform != "linux":
            return "which process ended first is told by Linux only; elsewhere only what each recorded itself"
        version = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit())
        return None if version >= (5, 3) else "this kernel has no process descriptors to wait for (Linux 5.3)"

    def sample(self, now: float) -> None:
        """Find the processes that have come since the last look."""
        folder = self.watched.folder / records.PROCESSES
        for entry in os.scandir(folder) if folder.is_dir() else ():
            if entry.name.isdigit() and int(entry.name) not in self._known:
                self._add(int(entry.name))

    def close(self) -> None:
        """Take what has ended by now; what still lives when the trial is over has no end of its own."""
        self.sample(0.0)
        os.write(self._wake, b".")
        self._thread.join()
        self._file.close()
        for descriptor in (*self._open, self._wake, self._woken):
            os.close(descriptor)
        self._epoll.close()

    def _add(self, pid: int) -> None:
        self._known.add(pid)
        descriptor = int(_library().syscall(PIDFD_OPEN, pid, 0))
        if descriptor < 0:
            self._file.write({"t": time.perf_counter(), "pid": pid, "event": "gone before it could be watched"})
            return
        self._open[descriptor] = pid
        self._epoll.register(descriptor, select.EPOLLIN)  # type: ignore[attr-defined,unused-ignore]

    def _follow(self) -> None:
        """Wait for ends until the close; those that the sweep has brought about come with it."""
        events: list[tuple[int, int]] = []
        while self._woken not in [descriptor for descriptor, _ in events]:
            events = self._epoll.poll()
            self._take([event for event in events if event[0] != self._woken])

    def _take(self, events: list[tuple[int, int]]) -> None:
        now = time.perf_counter()
        for descriptor, _ in events:
            self._epoll.unregister(descriptor)
            pid = self._open[descriptor]
            status = status_of(pid)
            self._file.write({"t": now, "pid": pid, "event": "ended", **status})
            is_bad = status["code"] not in (None, 0) or status["signal"] not in (None, signal.SIGTERM)
            self.deaths += is_bad and pid != self.watched.pid


def status_of(pid: int) -> dict[str, Any]:
    """Return the exit code or the signal of a process that has ended; None for both where it was reaped already."""
    fields = read_quietly(Path(f"/proc/{pid}/stat")).rpartition(b") ")[2].split()
    if len(fields) <= EXIT_CODE_FIELD or fields[0] not in (b"Z", b"X"):
        return {"code": None, "signal": None, "seen": False}
    status = int(fields[EXIT_CODE_FIELD])
    number = status & 0x7F
    return {"code": None if number else status >> 8, "signal": number or None, "seen": True}


def read_quietly(path: Path) -> bytes:
    """Return the beginning of a small file, b"" where it has gone meanwhile: libc answers with -1, raising nothing."""
    library = _library()
    descriptor = int(library.open(os.fsencode(path), os.O_RDONLY | os.O_CLOEXEC))
    if descriptor < 0:
        return b""
    buffer = ctypes.create_string_buffer(PATIENCE_BYTES)
    count = int(library.read(descriptor, buffer, PATIENCE_BYTES))
    library.close(descriptor)
    return buffer.raw[: max(count, 0)]


def _library() -> Any:
    return ctypes.CDLL(None)
