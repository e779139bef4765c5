"""One look at every process of a trial, read: what each thread waits for, who holds what. Pure."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from probes import records
from probes.outside.threads import thread_states as kernel_threads
from probes.outside.threads.thread_states import KernelThread
from probes.records import Row

DESCRIPTOR = re.compile(r"^l\S+ /proc/(?P<pid>\d+)/fd/(?P<number>\d+) (?P<target>.*)$")
LOCK = re.compile(
    r"^(?P<id>\d+): (?P<waits>-> )?(?P<kind>\w+) +\w+ +\w+ (?P<pid>-?\d+) [0-9a-f]+:[0-9a-f]+:(?P<inode>\d+) "
)
SHARED = re.compile(
    r"^/proc/(?P<pid>\d+)/maps:(?P<low>[0-9a-f]+)-(?P<high>[0-9a-f]+) \S+ \S+ "
    r"(?P<device>\S+) (?P<inode>\d+) *(?P<path>.*)$"
)
MOST_READ = 8


@dataclasses.dataclass(frozen=True)
class FileLock:
    """A file's lock that a process waits for: who, who holds it (None: not known), where locks.txt says so."""

    waiter: int
    holder: int | None
    kind: str
    line: int


@dataclasses.dataclass(frozen=True)
class Mapping:
    """A piece of memory that processes share: the same `file` is the same memory; `is_named`: anybody can open it."""

    process: int
    low: int
    high: int
    file: tuple[str, str]
    is_named: bool = False


@dataclasses.dataclass(frozen=True)
class TreeLook:
    """The whole tree at one instant; `line` is its row in still.jsonl, `t` in seconds of the monotonic clock.

    `outside`: the threads of other processes that hold a lock which somebody waits for. `holders`: pipe -> every
    process of the machine, in the tree or not, that has an end of it open.
    """

    number: int
    t: float
    line: int
    folder: str
    machine: str
    is_complete: bool
    main: int
    parents: dict[int, int]
    commands: dict[int, str]
    threads: dict[int, KernelThread]
    descriptors: dict[tuple[int, int], str]
    holders: dict[str, frozenset[int]]
    locks: tuple[FileLock, ...]
    shared: tuple[Mapping, ...]
    polled: dict[int, tuple[int, ...]]
    outside: dict[int, KernelThread]

    def threads_of(self, pid: int) -> list[KernelThread]:
        """Return the threads of one process, its main one first."""
        return sorted((one for one in self.threads.values() if one.process == pid), key=lambda one: one.id != pid)

    def is_stopped(self, pid: int) -> bool:
        """Whether a process is stopped, by a signal or by a tracer."""
        known = (*self.threads.values(), *self.outside.values())
        return any(one.state in "Tt" for one in known if one.process == pid)


def rows(path: Path) -> list[Row]:
    """Return the rows of the looks in a trial's folder, oldest first."""
    return list(records.read_lines(path / records.STILL).rows)


def since(path: Path, t: float) -> list[TreeLook]:
    """Return the looks of a trial's folder that were taken after `t`: stacks that are asked for disturb what follows.

    The newest of them only, and so few that a long standstill is read quickly.
    """
    return [read(path, row) for row in rows(path) if row.value["t"] > t][-MOST_READ:]


def read(path: Path, row: Row) -> TreeLook:
    """Read one look of a trial's folder."""
    value: dict[str, Any] = row.value
    at = path / value["folder"]
    descriptors = [match for line in _lines(at / "descriptors.txt") if (match := DESCRIPTOR.match(line))]
    pids = {process["pid"] for process in value["processes"]}
    return TreeLook(
        number=value["number"], t=value["t"], line=row.line, folder=value["folder"], machine=value["machine"],
        is_complete=value["complete"], main=value["pid"],
        parents={process["pid"]: process["parent"] for process in value["processes"]},
        commands={process["pid"]: process["command"] for process in value["processes"]},
        threads=kernel_threads.read(at / "threads.txt"),
        descriptors={
            (int(one["pid"]), int(one["number"])): one["target"] for one in descriptors if int(one["pid"]) in pids
        },
        holders=_holders(descriptors), locks=_locks(at / "locks.txt"), shared=_shared(at / "shared.txt"),
        outside=kernel_threads.read(at / "holders.txt"),
        polled={int(thread): tuple(numbers) for thread, numbers in value["polled"].items()},
    )  # fmt: skip


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []


def _holders(descriptors: list[re.Match[str]]) -> dict[str, frozenset[int]]:
    pipes = [(one["target"], int(one["pid"])) for one in descriptors if one["target"].startswith("pipe:")]
    return {name: frozenset(pid for other, pid in pipes if other == name) for name, _ in pipes}


def _locks(path: Path) -> tuple[FileLock, ...]:
    """A row with an arrow waits for the row of the same number without one. Source: proc_locks(5)."""
    found = [(number, match) for number, line in enumerate(_lines(path), 1) if (match := LOCK.match(line))]
    held = {match["id"]: int(match["pid"]) for _, match in found if not match["waits"]}
    return tuple(
        FileLock(int(match["pid"]), _known(held.get(match["id"], -1)), match["kind"], number)
        for number, match in found
        if match["waits"]
    )


def _known(pid: int) -> int | None:
    """A lock of an open file description belongs to no process: -1."""
    return pid if pid > 0 else None


def _shared(path: Path) -> tuple[Mapping, ...]:
    found = (match for line in _lines(path) if (match := SHARED.match(line)))
    return tuple(
        Mapping(
            int(one["pid"]),
            int(one["low"], 16),
            int(one["high"], 16),
            (one["device"], one["inode"]),
            one["path"].startswith("/") and not one["path"].endswith(" (deleted)"),
        )
        for one in found
    )
