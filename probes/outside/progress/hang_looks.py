"""Three looks, a second apart, at a program that makes no progress: what each thread does, waits for, and costs.

The looks are also the proof: where a flight record or a byte of output arrives meanwhile, the program was merely slow,
and the trial goes on. hang.jsonl lists the looks and what came of them; native/hang-N holds each.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path

from probes import records
from probes.outside.machine import stack_tools
from probes.outside.memory.tree_samples import descendants
from probes.outside.probe import Probe, Watched
from probes.outside.progress import tree_look
from probes.outside.progress.flight import LiveRing
from probes.outside.snapshot import THREAD_FILES, Snapshot
from probes.outside.threads import thread_states

NO_PROGRESS = "no progress"
LOOKS = 3
APART_SECONDS = 1.0
LOOK_SECONDS = 8.0
CHILD_SECONDS = 2.0
MOST_CHILDREN = 8  # the children of one kind wait in one way: a few tell of all
MOST_NATIVE = 4  # stacks with native frames cost seconds
PROFILE_PER_SECOND = 20
PROFILE_SECONDS = 6.0
POLL_SECONDS = 0.05
JUST_NOW_SECONDS = 2.0
BUSY_TICKS = 10  # in the second between two looks: worth a profile


class HangProbe(Probe):
    """Works only where the harness is about to end a trial for want of progress."""

    name = "hang snapshots"

    def __init__(self, watched: Watched) -> None:
        """Follow the marks of progress; take nothing yet."""
        super().__init__(watched)
        self.interval_seconds = self.due = float("inf")
        self._ring = LiveRing(watched.folder / records.FLIGHT_RING)
        self._outputs = [str(watched.folder / name) for name in (records.STDOUT, records.STDERR)]
        self._taken = 0
        self._disturbed = 0.0  # when stacks were last asked for

    @classmethod
    def missing(cls) -> str | None:
        """Return why threads cannot be looked at here."""
        return None if sys.platform == "linux" else "it reads /proc, which this system does not have"

    def before_end(self, reason: str) -> bool:
        """Take the looks; True where the program moved meanwhile."""
        if reason != NO_PROGRESS:
            return False
        mark, first = self._mark(), self._taken + 1
        self._look_at_tree(mark)
        moved = any(self._look(number, number == first, mark) for number in range(first, first + LOOKS))
        last = self._folder(self._taken)
        if not moved and _has_native_threads(last):
            Snapshot(self.watched.pid, last, self.watched.folder / records.GAPS, LOOK_SECONDS).gdb()
            moved = self._mark() != mark
        verdict = "progress" if moved else NO_PROGRESS
        self._disturbed = time.perf_counter()
        row = {"event": "looked", "t": self._disturbed, "verdict": verdict, "first": first, "last": self._taken}
        records.append(self.watched.folder / records.HANG, row)
        return moved

    def _look_at_tree(self, mark: tuple[int, ...]) -> None:
        """Take two undisturbed looks, before any stack is asked for; not where somebody has just taken them."""
        rows = records.read_lines(self.watched.folder / records.STILL).rows
        since = max(self._disturbed, time.perf_counter() - JUST_NOW_SECONDS)
        if not rows or rows[-1].value["t"] < since:
            tree_look.take(self.watched)
            self._wait(mark)
            tree_look.take(self.watched)

    def _look(self, number: int, is_first: bool, mark: tuple[int, ...]) -> bool:
        """Take one look, a second after the one before; whether the program has moved since the mark."""
        if not is_first and self._wait(mark):
            return True
        self._taken = number
        before = self._ticks(number - 1)
        self._snapshot(number, is_first)
        grown = self._ticks(number) - before
        if not is_first and grown >= BUSY_TICKS and not self._profile_exists():
            self._profile(number)
        return self._mark() != mark

    def _snapshot(self, number: int, is_first: bool) -> None:
        """The cheap and undisturbing first: once stacks are taken, threads have been stopped."""
        folder, pid = self._folder(number), self.watched.pid
        children = self._own_first([child.pid for child in descendants(pid) if child.pid != pid])
        records.append(self.watched.folder / records.HANG, {
            "event": "look", "t": time.perf_counter(), "number": number, "folder": f"native/hang-{number}", "pid": pid,
            "children": children[:MOST_CHILDREN], "children_left_out": len(children[MOST_CHILDREN:]),
            "machine": platform.machine(), "ticks_per_second": os.sysconf("SC_CLK_TCK"),
        })  # fmt: skip
        whole = Snapshot(pid, folder, self.watched.folder / records.GAPS, LOOK_SECONDS)
        parts = [
            Snapshot(child, folder / f"child-{child}", self.watched.folder / records.GAPS, CHILD_SECONDS)
            for child in children[:MOST_CHILDREN]
        ]
        for part in (whole, *parts):
            _threads(part, is_first)
        for part in (whole, *parts):
            part.python()
        for part in (whole, *parts[:MOST_NATIVE]) if is_first else (whole,):
            part.native()

    def _own_first(self, pids: list[int]) -> list[int]:
        """Order children by what they may tell: first those that have records of their own, the ranks and workers."""
        place = self.watched.folder / records.PROCESSES
        return sorted(pids, key=lambda pid: (not (place / str(pid)).is_dir(), pid))

    def _wait(self, mark: tuple[int, ...]) -> bool:
        """Wait until the next look is due; whether the program has moved before that."""
        deadline = time.monotonic() + APART_SECONDS
        while self._mark() == mark and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return self._mark() != mark

    def _profile(self, number: int) -> None:
        """Sample the stacks of a busy program for a second: a loop in native code is seen in every sample."""
        path = stack_tools.py_spy()
        if path is not None:
            out = self._folder(number) / "profile.txt"
            options = ["-d", "1", "-r", str(PROFILE_PER_SECOND), "--native", "--threads", "-f", "raw", "-o", str(out)]
            part = Snapshot(self.watched.pid, out.parent, self.watched.folder / records.GAPS, PROFILE_SECONDS)
            part.take("profile", [path, "record", *options, "--pid", str(self.watched.pid)], "profile.log")

    def _profile_exists(self) -> bool:
        return any((self._folder(number) / "profile.txt").exists() for number in range(1, self._taken + 1))

    def _ticks(self, number: int) -> int:
        threads = thread_states.read(self._folder(number) / "threads.txt")
        return sum(thread.ticks for thread in threads.values())

    def _mark(self) -> tuple[int, ...]:
        newest = self._ring.newest() or {"sequence": 0}
        return (newest["sequence"], *(os.stat(path).st_size for path in self._outputs))

    def _folder(self, number: int) -> Path:
        return self.watched.folder / "native" / f"hang-{number}"


def _has_native_threads(folder: Path) -> bool:
    """Whether there are threads that Python does not know: only gdb shows their stacks, and it is slow."""
    stacks = folder / "python_stacks.json"
    known = stacks.read_text(encoding="utf-8", errors="replace").count('"os_thread_id"') if stacks.exists() else 0
    return len(thread_states.read(folder / "threads.txt")) > known


def _threads(part: Snapshot, is_first: bool) -> None:
    """Everything at the first look, later what changes; the descriptors tell what a read waits for."""
    if is_first:
        part.proc()
        part.take("descriptors", ["ls", "-l", f"/proc/{part.pid}/fd"], "descriptors.txt")
        return
    wanted = " ".join(f"/proc/{part.pid}/task/*/{name}" for name in THREAD_FILES)
    part.take("proc threads", ["sh", "-c", f"grep -aH . {wanted}"], "threads.txt")
