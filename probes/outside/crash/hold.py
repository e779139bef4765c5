"""Notices a process that is held at the instant of its death, takes all that it shows, and lets it die of its signal.

The inside (probes/inside/hold.py) writes a fault page; this probe maps it and looks at one number a sample. What was
taken lies in native/main/, for a descendant in native/<pid>/; what could not be had is a Gap.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from probes import records
from probes.outside.crash import fault_record, heap_lock, held_by_pause, held_process
from probes.outside.crash.fault_page import HELD, PAUSE, FaultPage, FaultSlot, is_whole
from probes.outside.ends import at_death
from probes.outside.probe import Probe, Watched, run_tool
from probes.outside.snapshot import Snapshot

FAST_SECONDS = 0.04
SCAN_SECONDS = 0.1
COLLECT_SECONDS = 7.0
PATIENCE_SECONDS, LOCK_SECONDS = 0.3, 0.1  # before the first look for such a lock, between two
STUCK_SECONDS = 6.0  # a handler that has not got through by now waits for a lock that a dead thread holds
LAST_WORDS = 4 << 20
FATAL = (4, 6, 7, 8, 11)
UNHELD = "it came before they were installed, from a thread with no stack left, or the target has replaced them"


class HoldProbe(Probe):
    """Watches the fault pages of the observed process and of its descendants."""

    name = "hold"

    def __init__(self, watched: Watched) -> None:
        """Take nothing yet."""
        super().__init__(watched)
        self.interval_seconds = FAST_SECONDS
        self._pages: dict[str, FaultPage] = {}
        self._seen: set[str] = set()
        self._scan_due = self._lock_due = 0.0
        self._waiting: heap_lock.Waiting = {}
        self._opened: list[str] = []

    @classmethod
    def missing(cls) -> str | None:
        """Return why no crash can be held on this system."""
        known = sys.platform == "linux" and os.uname().machine in held_process.TGKILL
        return None if known else "a crash is held on Linux only, on x86-64 and aarch64"

    def sample(self, now: float) -> None:
        """Look at every page; collect where a process is held, then let it die."""
        self._find_pages(now)
        for label, page in self._pages.items():
            slot = self._fault(label, page) if label not in self._seen else None
            if slot is not None:
                self._look(now, label, page, slot)

    def close(self) -> None:
        """Note the faults that nobody could look at, and a fatal signal that no handler saw."""
        self._find_pages(float("inf"))
        for label, page in self._pages.items():
            slot = page.first
            if slot is not None and label not in self._seen:
                self._seen.add(label)
                self._note_unseen(label, slot)
        number = _killed_by(self.watched.pid)
        if number in FATAL and "main" not in self._seen:
            self._gap(f"signal {number} ended the process without a handler of ours: {UNHELD}")

    def _fault(self, label: str, page: FaultPage) -> FaultSlot | None:
        if page.mode == PAUSE:
            return held_by_pause.find(self.watched.pid if label == "main" else int(label), self._log(label))
        return page.first

    def _look(self, now: float, label: str, page: FaultPage, slot: FaultSlot) -> None:
        if not self._is_owner(label, slot):
            self._seen.add(label)
            page.let_die(was_sent=True)
            self._gap(f"process {slot.pid} faulted, which cannot be told from outside: it has another number here")
        elif slot.state == HELD or now - slot.t > STUCK_SECONDS:
            self._seen.add(label)
            self._collect(label, page, slot)
        elif now - slot.t > PATIENCE_SECONDS and now >= self._lock_due:
            self._lock_due = now + LOCK_SECONDS
            self._free(page, slot)

    def _is_owner(self, label: str, slot: FaultSlot) -> bool:
        """Whether the number on the page is that of a process of ours, and not one of another namespace."""
        if slot.pid == (self.watched.pid if label == "main" else int(label)):
            return True
        page = str((self._log(label).parent / records.FAULT_PAGE).resolve())
        return run_tool(["grep", "-qF", page, f"/proc/{slot.pid}/maps"]).code == 0

    def _free(self, page: FaultPage, slot: FaultSlot) -> None:
        """Open the heap's lock where handlers wait for it, seen twice in a row."""
        now = heap_lock.waiting(slot.pid)
        still = {tid: lock for tid, lock in now.items() if self._waiting.get(tid) == lock}
        self._waiting = {} if still else now
        if still and heap_lock.force_open(page, slot.pid, still):
            self._opened += sorted({hex(lock) for lock in still.values()})

    def _find_pages(self, now: float) -> None:
        if now < self._scan_due:
            return
        self._scan_due = now + SCAN_SECONDS
        own, others = self.watched.folder, self.watched.folder / "processes"
        folders = [own, *(Path(entry.path) for entry in os.scandir(others))] if others.is_dir() else [own]
        for folder in folders:
            label = "main" if folder == own else folder.name
            if label not in self._pages and is_whole(folder / records.FAULT_PAGE):
                self._pages[label] = FaultPage(folder / records.FAULT_PAGE)

    def _collect(self, label: str, page: FaultPage, slot: FaultSlot) -> None:
        noticed = time.perf_counter()
        snapshot = self._snapshot(label, slot.pid)
        snapshot.threads()
        signal_others(page, slot.pid, page.freeze_signal)  # or one of them might end the process meanwhile
        at_death.take(self.watched.folder, slot.pid, f"signal {slot.signal}")
        snapshot.files()
        snapshot.python()
        self._take_native(snapshot, slot)
        record = fault_record.of_held(slot, snapshot.folder, self._log(label), noticed)
        records.write_json(snapshot.folder / records.FAULT, {**record, "opened_heap_locks": self._opened})
        self._opened = []
        if not let_die(page, slot):
            self._gap(f"process {slot.pid} did not die of signal {slot.signal} when it was let, and was killed")

    def _take_native(self, snapshot: Snapshot, slot: FaultSlot) -> None:
        """Take native stacks; gdb, the slow one, only where torch has not printed those of all threads."""
        snapshot.native()
        if f", PID: {slot.pid}, Thread {slot.tid}: ".encode() not in _tail(self.watched.folder / records.STDERR):
            snapshot.gdb()

    def _note_unseen(self, label: str, slot: FaultSlot) -> None:
        folder = self._snapshot(label, slot.pid).folder
        records.write_json(folder / records.FAULT, fault_record.of_dead(slot, folder, self._log(label)))
        self._gap(f"process {slot.pid} ended after signal {slot.signal} before its stacks could be taken")

    def _snapshot(self, label: str, pid: int) -> Snapshot:
        folder = self.watched.folder / records.NATIVE / label
        return Snapshot(pid, folder, self.watched.folder / records.GAPS, COLLECT_SECONDS)

    def _log(self, label: str) -> Path:
        own = self.watched.folder
        return (own if label == "main" else own / "processes" / label) / records.FAULT_LOG

    def _gap(self, reason: str) -> None:
        records.append(self.watched.folder / records.GAPS, {"probe": self.name, "reason": reason})


def signal_others(page: FaultPage, pid: int, number: int) -> None:
    """Send every thread that has not faulted a signal."""
    for name in run_tool(["ls", f"/proc/{pid}/task"]).stdout.split() if number else ():
        if int(name) not in page.threads:
            held_process.signal_thread(pid, int(name), number)


def let_die(page: FaultPage, slot: FaultSlot) -> bool:
    """Let the faulting instruction run again; whether the process then died of it. Else it is killed."""
    page.let_die(was_sent=slot.code <= 0)
    number = slot.signal if page.mode == PAUSE else page.release_signal  # under pause(2) the default is back already
    begun = time.perf_counter()
    while not _is_dead(slot.pid):
        waited = time.perf_counter() - begun
        if waited > 3.0:
            held_process.signal_process(slot.pid, 9)
            return False
        held_process.signal_thread(slot.pid, slot.tid, number)
        if waited > 0.5:  # the signal was sent, or another thread has repaired what the instruction needs
            signal_others(page, slot.pid, page.release_signal)
            held_process.signal_process(slot.pid, slot.signal)
        time.sleep(0.005)
    return True


def _is_dead(pid: int) -> bool:
    result = run_tool(["cat", f"/proc/{pid}/stat"])
    return result.code != 0 or result.stdout.rpartition(") ")[2][:1] in ("Z", "X")


def _killed_by(pid: int) -> int | None:
    """Return the signal that ended our own child, which is not yet reaped."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    return ended.si_status if ended and ended.si_code in (os.CLD_KILLED, os.CLD_DUMPED) else None


def _tail(path: Path) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(max(0, path.stat().st_size - LAST_WORDS))
        return stream.read()
