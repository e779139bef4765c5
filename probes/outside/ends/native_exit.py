"""Looks at the process while C `exit()` is held in it, then lets it go on to its end.

The inside registered two handlers with libc: the first removes a file (the mark), the second sleeps until a signal
comes. A mark that is gone therefore says that native code called exit(): where the interpreter finalized before, the
handlers do nothing. native_exit.jsonl gets one line a process, native/exit-<pid>/ the stacks.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from probes import records
from probes.outside.ends import at_death
from probes.outside.probe import Probe, Watched, run_tool
from probes.outside.snapshot import Snapshot

MARK = "native_exit.armed"
INTERVAL_SECONDS = 0.1
LOOK_SECONDS = 12.0  # less than the inside holds, with a sleep or two ended by each tool
SLEEPS = 8  # in a row, as the inside registers them: each needs its signal
APART_SECONDS = 0.002
MOST_LOOKS = 4  # of a trial's processes
TRIES = 5  # the mark is removed some microseconds before the sleep begins


class NativeExitProbe(Probe):
    """Waits for the marks; the cost of waiting is one stat(2) a process and sample."""

    name = "native exit"

    def __init__(self, watched: Watched) -> None:
        """Take nothing yet."""
        super().__init__(watched)
        self.interval_seconds = INTERVAL_SECONDS
        self._marks = {watched.pid: _Mark(watched.pid, watched.folder)}
        self._looks = MOST_LOOKS

    @classmethod
    def missing(cls) -> str | None:
        """Return why exit() cannot be held here."""
        return None if sys.platform == "linux" else "C exit() is held on Linux only"

    def sample(self, now: float) -> None:
        """Take the stacks once of each process where exit() is held, and release it."""
        self._find()
        for mark in self._marks.values():
            if mark.tries > 0 and mark.is_called():
                mark.tries -= 1
                armed = mark.armed()
                found = _held_thread(mark.pid, armed.get("address", "unknown"))
                if found is not None:
                    mark.tries = 0
                    self._look(now, mark.pid, armed, *found)

    def close(self) -> None:
        """Note each exit() that nobody got to look at."""
        self._find()
        told = {row.value["pid"] for row in records.read_lines(self.watched.folder / records.NATIVE_EXIT).rows}
        for mark in self._marks.values():
            if mark.is_called() and mark.pid not in told:
                self._note(time.perf_counter(), mark.pid, None, None, 0.0, None)
                reason = f"native code of process {mark.pid} called exit(), and it was not seen held in it"
                records.append(self.watched.folder / records.GAPS, {"probe": self.name, "reason": reason})

    def _find(self) -> None:
        """Find the processes that have come since the last look."""
        folder = self.watched.folder / records.PROCESSES
        for entry in os.scandir(folder) if folder.is_dir() else ():
            if entry.name.isdigit() and int(entry.name) not in self._marks:
                self._marks[int(entry.name)] = _Mark(int(entry.name), folder / entry.name)

    def _look(self, now: float, pid: int, armed: dict[str, str], thread: int, status: int) -> None:
        """Where many processes exit at once, the first ones tell: the others would be held for too long."""
        began = time.perf_counter()
        self._looks -= 1
        name = f"native/exit-{pid}" if self._looks >= 0 else None
        if name is not None:
            at_death.take(self.watched.folder, pid, "exit() of native code")
            snapshot = Snapshot(pid, self.watched.folder / name, self.watched.folder / records.GAPS, LOOK_SECONDS)
            for take in (snapshot.proc, snapshot.python, snapshot.native):
                take()
            if not _is_told(snapshot.folder, thread):  # gdb reads all names of all libraries, which takes seconds
                snapshot.gdb()
        for _ in range(SLEEPS):
            release(pid, thread, int(armed["release_signal"]))
            time.sleep(APART_SECONDS)
        self._note(now, pid, thread, status, time.perf_counter() - began, name)

    def _note(
        self, now: float, pid: int, thread: int | None, status: int | None, seconds: float, folder: str | None
    ) -> None:
        records.append(self.watched.folder / records.NATIVE_EXIT, {
            "t": round(now, 4), "pid": pid, "call": "exit", "code": status, "thread": thread,
            "main_thread": thread == pid, "held_seconds": round(seconds, 3), "folder": folder,
        })  # fmt: skip


class _Mark:
    """The mark of one process, in its folder. `tries`: how often it is still looked for where it is held."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.pid, self.tries = pid, TRIES
        self._folder = folder
        self._is_armed, self._told = False, -1

    def is_called(self) -> bool:
        """Whether the mark was there, and is gone."""
        is_there = (self._folder / MARK).exists()
        self._is_armed = self._is_armed or is_there or self._is_said_to_be_armed()
        return self._is_armed and not is_there

    def _is_said_to_be_armed(self) -> bool:
        """Ask the inside's own record, where it has grown since: a process may exit before it is looked at once."""
        path = self._folder / records.INSIDE
        size = path.stat().st_size if path.exists() else 0
        grown, self._told = size != self._told, size
        return grown and bool(self.armed())

    def armed(self) -> dict[str, str]:
        """Return what the inside said of its page and its signal; last, where the process was replaced by another."""
        rows = records.read_lines(self._folder / records.INSIDE).rows
        return next((row.value for row in reversed(rows) if row.value.get("event") == "native exit armed"), {})


def _is_told(folder: Path, thread: int) -> bool:
    """Whether py-spy has the stack of the thread that exits; it knows Python's own threads alone."""
    path = folder / "native_stacks.json"
    text = path.read_text(errors="replace").rstrip() if path.exists() else ""
    stacks: Any = json.loads(text) if text.endswith("]") else []
    return any(one.get("os_thread_id") == thread and one.get("frames") for one in stacks)


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
