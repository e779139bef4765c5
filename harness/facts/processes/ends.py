"""How each process of a trial ended, by whichever record knows it; pure."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator

from harness.facts.ended.exit_calls import SIGNAL_CALLS
from harness.facts.ended.signal_names import signal_name
from harness.facts.folder import TrialFolder
from harness.facts.last_event import last_event
from harness.facts.processes import children
from harness.model import EndedBy, Source
from probes import records
from probes.outside.progress.flight import read_ring
from probes.records import Row

LOADER = re.compile(r"DataLoader worker \(pid (?P<pid>\d+)\) is killed by signal: (?P<word>[A-Z][\w -]*\w)")
WORDS = {  # strsignal(3) as glibc has it; a report may be judged on another system
    "Killed": "SIGKILL", "Terminated": "SIGTERM", "Hangup": "SIGHUP", "CPU time limit exceeded": "SIGXCPU",
    "Segmentation fault": "SIGSEGV", "Bus error": "SIGBUS", "Aborted": "SIGABRT", "Illegal instruction": "SIGILL",
    "Floating point exception": "SIGFPE",
}  # fmt: skip
MAIN, TOOL = "main", "tool"
MOST_LETTERS = 160


@dataclasses.dataclass(frozen=True)
class End:
    """The end of one process.

    `folder` is its place in the trial's, "" for the observed process; `began` is when it went wrong, or else when it
    ended, in seconds of the monotonic clock; `sent_by` is who sent the signal that ended it. `is_known`: whether its
    status was seen. `is_ours`: the harness ended it. `is_seen_late`: no record of its own tells when. `command`: what
    it was started by, where its parent recorded it; a "tool" is a process that was not observed from inside.
    """

    pid: int
    parent: int | None
    how: str
    folder: str
    began: float
    code: int | None
    signal: str | None
    error: str | None
    sent_by: int | None
    rank: str | None
    is_ours: bool
    is_seen_late: bool
    sources: tuple[Source, ...]
    command: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything tells how it ended."""
        return self.code is not None or self.signal is not None

    @property
    def is_death(self) -> bool:
        """Whether it did not end well."""
        return self.signal is not None or self.code not in (None, 0) or (self.code is None and self.error is not None)

    @property
    def words(self) -> str:
        """Return e.g. "SIGKILL" or "exit code 1, RuntimeError: ..."."""
        status = self.signal or (f"exit code {self.code}" if self.code is not None else "")
        return ", ".join(part for part in (status, self.error) if part)


@functools.lru_cache(maxsize=8)
def read(folder: TrialFolder) -> tuple[End, ...]:
    """Return the ends of all processes, the observed one first."""
    pids = sorted(int(path.parent.name) for path in folder.path.glob(f"{records.PROCESSES}/*/{records.PROCESS}"))
    reader = _Reader(folder, pids)
    return (*(reader.end_of(pid) for pid in (folder.exit.get("pid", 0), *pids)), *reader.tools())


def last_words(folder: TrialFolder, end: End) -> str | None:
    """Return where in its model a process was, as its flight ring says; None where it has recorded nothing of that."""
    place = folder.path / end.folder
    event = last_event(read_ring(place / records.FLIGHT_RING, place / records.FLIGHT_NAMES))
    return str(event) if event else None


class _Reader:
    """Looks each process up in every record that may know it."""

    def __init__(self, folder: TrialFolder, pids: list[int]) -> None:
        self._folder = folder
        self._main = folder.exit.get("pid", 0)
        self._places = {self._main: "", **{pid: f"{records.PROCESSES}/{pid}/" for pid in pids}}
        self._children = children.read(folder, self._places.values())
        self._limit = self._ended_at()

    def tools(self) -> Iterator[End]:
        """Yield the ends, other than good ones, of processes that have no records of their own: tools, not Python."""
        for child in self._children.values():
            if child.pid not in self._places and child.code != 0:
                t = float("inf") if child.t is None else child.t
                number = signal_name(child.signal)
                sender, sent, source = self._sender(child.pid, number)
                left = child.pid in (self._folder.exit.get("left_behind") or ())
                began = min([t, *([sent] if sender is not None else [])])
                yield End(
                    child.pid, child.parent, TOOL, f"{records.PROCESSES}/{child.pid}/", began, child.code, number,
                    None, sender, None, left or began >= self._limit, number is not None, (*child.sources, *source),
                    child.command,
                )  # fmt: skip

    def end_of(self, pid: int) -> End:
        """Return what is known of one process."""
        place = self._places[pid]
        born = records.read_json(self._folder.path / place / records.PROCESS) or {} if place else {}
        code, number, ended, sources = self._status(pid)
        error, error_row = self._error(pid)
        onsets = list(self._onsets(pid, error_row))
        sender, sent, sender_source = self._sender(pid, number)
        began = min([ended, *onsets, *([sent] if sender == pid else [])])
        ranks = born.get("ranks", {})
        own = (*((self._folder.source(place + records.PROCESS, 1),) if place else ()), *sources)
        errors = (
            *self._fault_source(pid),
            *((self._folder.source(place + records.PYTHON_ERROR, error_row.line),) if error_row else ()),
        )
        return End(
            pid, born.get("parent"), born.get("how", "the observed process"), place, began, code, number, error, sender,
            ranks.get("RANK"), self._is_ours(pid, began), number is not None and not onsets,
            (*own, *errors, *sender_source), self._children[pid].command if pid in self._children else None,
        )  # fmt: skip

    def _status(self, pid: int) -> tuple[int | None, str | None, float, tuple[Source, ...]]:
        """Return code, signal, time and source: the kernel's word, the parent's, the DataLoader's, its own."""
        if pid == self._main and self._folder.exit:
            record = self._folder.exit
            key = "signal" if record.get("signal") else "code"
            time = self._row_of(records.ENDS, "pid", pid)
            at = time.value["t"] if time else record.get("started_monotonic", 0.0) + record.get("seconds", 0.0)
            return record.get("code"), record.get("signal"), at, (self._folder.key_source(records.EXIT, key),)
        seen = self._row_of(records.ENDS, "pid", pid)
        told = seen is not None and seen.value.get("seen")
        child = self._children.get(pid)
        if told and seen is not None:
            at = min([seen.value["t"], *([child.t] if child and child.t is not None else [])])
            source = self._folder.source(records.ENDS, seen.line)
            return seen.value["code"], signal_name(seen.value["signal"]), at, (source,)
        if child is None or child.t is None:
            return self._from_words(pid, seen)
        at = min([child.t, *([seen.value["t"]] if seen else [])])
        return child.code, signal_name(child.signal), at, child.sources[:1]

    def _from_words(self, pid: int, seen: Row | None) -> tuple[int | None, str | None, float, tuple[Source, ...]]:
        """Return what the DataLoader's message or the process' own record says."""
        at = seen.value["t"] if seen else float("inf")
        for row in self._folder.own_lines(records.PYTHON_ERROR):
            match = LOADER.search(str(row.value.get("message")))
            if match and int(match["pid"]) == pid:
                source = self._folder.source(records.PYTHON_ERROR, row.line)
                return None, by_words(match["word"]), min(at, row.value["t"]), (source,)
        place = self._places[pid]
        codes = [
            row
            for row in self._own(place + records.EXITS, pid)
            if row.value["call"] in ("os._exit", "sys.exit", "end of main")
        ]
        if codes and isinstance(codes[-1].value.get("code"), int):
            row = codes[-1]
            return (
                row.value["code"] & 0xFF,
                None,
                min(at, row.value["t"]),
                (self._folder.source(place + records.EXITS, row.line),),
            )
        return None, None, at, ()

    def _error(self, pid: int) -> tuple[str | None, Row | None]:
        """Return the exception that ended its main program."""
        place = self._places[pid]
        rows = [row for row in self._own(place + records.PYTHON_ERROR, pid) if row.value.get("is_main")]
        if not rows:
            return None, None
        value = rows[-1].value
        first_line = next(iter(str(value.get("message")).strip().splitlines()), "")
        return f"{value.get('type')}: {first_line[:MOST_LETTERS]}", rows[-1]

    def _onsets(self, pid: int, error: Row | None) -> Iterator[float]:
        """Yield when it went wrong: it may be held at its fault, or take its time to end, while others notice."""
        fault = records.read_json(self._folder.path / self._fault_name(pid)) or {}
        if isinstance(fault.get("t"), float):
            yield fault["t"]
        yield from (row.value["t"] for row in self._own(records.NATIVE_EXIT, pid) if "t" in row.value)
        if error is not None:
            yield error.value["t"]

    def _fault_name(self, pid: int) -> str:
        return f"{records.NATIVE}/{MAIN if pid == self._main else pid}/{records.FAULT}"

    def _fault_source(self, pid: int) -> tuple[Source, ...]:
        name = self._fault_name(pid)
        return (self._folder.key_source(name, "t"),) if (self._folder.path / name).exists() else ()

    def _sender(self, pid: int, number: str | None) -> tuple[int | None, float, tuple[Source, ...]]:
        """Return which process of the target sent the signal that ended this one, and when."""
        for place in self._places.values() if number else ():
            name = place + records.EXITS
            for row in self._folder.lines(name).rows:
                value = row.value
                hit = value["call"] in SIGNAL_CALLS and abs(value.get("target") or 0) == pid
                if hit and value.get("signal") == number:
                    return value["pid"], value["t"], (self._folder.source(name, row.line),)
        return None, 0.0, ()

    def _is_ours(self, pid: int, began: float) -> bool:
        """Whether the harness ended it: at a limit, or in the sweep after the observed process' end."""
        if pid == self._main:
            return self._folder.exit.get("ended_by") == EndedBy.HARNESS
        over = self._row_of(records.ENDS, "pid", self._main)
        swept = pid in (self._folder.exit.get("left_behind") or ())  # reaped by us; it may have died long before
        return began >= self._limit or (swept and (over is None or began >= over.value["t"]))

    def _ended_at(self) -> float:
        """Return when the harness ended the trial; never where it did not."""
        rows = self._folder.lines(records.LIMITS).rows
        ended = self._folder.exit.get("ended_by") == EndedBy.HARNESS and rows
        return rows[-1].value["t"] if ended else float("inf")

    def _own(self, name: str, pid: int) -> list[Row]:
        return [row for row in self._folder.lines(name).rows if row.value.get("pid") == pid]

    def _row_of(self, name: str, key: str, pid: int) -> Row | None:
        return next((row for row in reversed(self._folder.lines(name).rows) if row.value.get(key) == pid), None)


def by_words(words: str) -> str:
    """Return the name of a signal that strsignal(3) words, as the DataLoader's message does; else the words."""
    return WORDS.get(words.strip(), words)
