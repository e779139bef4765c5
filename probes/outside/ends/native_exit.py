"""Looks at the process while C `exit()` is held in it, then lets it go on to its end.

The inside registered two handlers with libc: the first empties a file (the mark), the second sleeps until a signal
comes. A mark that is empty therefore says that native code called exit(): where the interpreter finalized before, the
handlers do nothing. native_exit.jsonl gets one line, native/exit-<pid>/ the stacks.
"""

from __future__ import annotations

import ctypes
import sys
import time

from probes import records
from probes.outside.probe import Probe, Watched, run_tool
from probes.outside.snapshot import Snapshot

MARK = "native_exit.armed"
INTERVAL_SECONDS = 0.1
LOOK_SECONDS = 12.0  # less than the inside holds, with a sleep or two ended by each tool
SLEEPS = 8  # in a row, as the inside registers them: each needs its signal
APART_SECONDS = 0.002
TRIES = 5  # the mark is emptied some microseconds before the sleep begins


class NativeExitProbe(Probe):
    """Waits for the mark; the cost of waiting is one stat(2) a sample."""

    name = "native exit"

    def __init__(self, watched: Watched) -> None:
        """Take nothing yet."""
        super().__init__(watched)
        self.interval_seconds = INTERVAL_SECONDS
        self._mark = watched.folder / MARK
        self._tries = TRIES

    @classmethod
    def missing(cls) -> str | None:
        """Return why exit() cannot be held here."""
        return None if sys.platform == "linux" else "C exit() is held on Linux only"

    def sample(self, now: float) -> None:
        """Take the stacks once, where exit() is held, and release."""
        if self._tries > 0 and self._is_called():
            self._tries -= 1
            armed = self._armed()
            found = _held_thread(self.watched.pid, armed.get("address", "unknown"))
            if found is not None:
                self._tries = 0
                self._look(now, armed, *found)

    def close(self) -> None:
        """Note an exit() that nobody got to look at."""
        path = self.watched.folder / records.NATIVE_EXIT
        if self._is_called() and not path.exists():
            self._note(time.perf_counter(), None, None, 0.0)
            reason = "native code called exit(), and the process was not seen held in it"
            records.append(self.watched.folder / records.GAPS, {"probe": self.name, "reason": reason})

    def _is_called(self) -> bool:
        return self._mark.exists() and self._mark.stat().st_size == 0

    def _armed(self) -> dict[str, str]:
        """Return what the inside said of its page and its signal."""
        rows = records.read_lines(self.watched.folder / records.INSIDE).rows
        return next((row.value for row in rows if row.value.get("event") == "native exit armed"), {})

    def _look(self, now: float, armed: dict[str, str], thread: int, status: int) -> None:
        began = time.perf_counter()
        snapshot = Snapshot(
            self.watched.pid,
            self.watched.folder / "native" / f"exit-{self.watched.pid}",
            self.watched.folder / records.GAPS,
            LOOK_SECONDS,
        )
        for take in (snapshot.proc, snapshot.python, snapshot.native, snapshot.gdb):
            take()
        for _ in range(SLEEPS):
            release(self.watched.pid, thread, int(armed["release_signal"]))
            time.sleep(APART_SECONDS)
        self._note(now, thread, status, time.perf_counter() - began)

    def _note(self, now: float, thread: int | None, status: int | None, seconds: float) -> None:
        records.append(self.watched.folder / records.NATIVE_EXIT, {
            "t": round(now, 4), "pid": self.watched.pid, "call": "exit", "code": status, "thread": thread,
            "main_thread": thread == self.watched.pid, "held_seconds": round(seconds, 3),
            "folder": None if thread is None else f"native/exit-{self.watched.pid}",
        })  # fmt: skip


def release(pid: int, thread: int, number: int) -> bool:
    """Send one thread a signal; whether there was such a thread."""
    libc = ctypes.CDLL(None)
    return hasattr(libc, "tgkill") and libc.tgkill(pid, thread, number) == 0


def _held_thread(pid: int, address: str) -> tuple[int, int] | None:
    """Return the thread that sleeps on our page, and exit()'s status: it is the sleep's last argument.

    Source: proc_pid_syscall(5): the call's number, six arguments, stack pointer, program counter.
    """
    result = run_tool(["sh", "-c", f"grep -aHwF {address} /proc/{pid}/task/*/syscall"])
    line = next(iter(result.stdout.splitlines()), "")
    path, _, text = line.partition(":")
    words = text.split()
    if address not in words:
        return None
    return int(path.split("/")[4]), int(words[words.index(address) + 1], 16) & 0xFF
