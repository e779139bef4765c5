"""Whether a standstill is closed: the rule, on looks at a tree as they would have been taken."""

from __future__ import annotations

import dataclasses

import pytest

from harness.facts.hang import closed
from harness.facts.hang.tree import FileLock, Mapping, TreeLook
from probes.outside.threads.thread_states import KernelThread

FUTEX, READ, POLL, WAIT, FLOCK, SLEEP, ACCEPT = 202, 0, 7, 61, 73, 230, 43
FOR_EVER, PRIVATE, SHARED = 0xFFFFFFFF, 0x189, 0x109
PIPE = "pipe:[5]"


def thread(number: int, syscall: int | None = FUTEX, *arguments: int, **changes: object) -> KernelThread:
    """Return a thread of a process of the same number; by default at a lock of its own process, without a limit."""
    given = arguments or (0x7000, PRIVATE, 0, 0, 0, 0)
    one = KernelThread(number, "python", "S", 9, syscall, given, process=number, switches=4)
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


def look(*threads: KernelThread, t: float = 0.0, **changes: object) -> TreeLook:
    """Return a look at a tree whose first process is the observed one."""
    pids = list(dict.fromkeys(one.process for one in threads))
    whole = TreeLook(
        number=1, t=t, line=1, folder="native/tree-1", machine="x86_64", is_complete=True, main=pids[0],
        parents={pid: 1 for pid in pids}, commands={}, threads={one.id: one for one in threads},
        descriptors={(pid, 3): PIPE for pid in pids}, holders={PIPE: frozenset(pids)}, locks=(), shared=(), polled={},
        outside={},
    )  # fmt: skip
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]


def open_by(*threads: KernelThread, **changes: object) -> str:
    """Return what may still end a standstill in which nothing moves between two looks."""
    return closed.circle(look(*threads, **changes), look(*threads, t=5.0, **changes)).open_by


SHARED_MEMORY = (Mapping(7, 0x7000, 0x8000, ("00:01", "12")), Mapping(8, 0x9000, 0xA000, ("00:01", "12")))
NAMED = (Mapping(7, 0x7000, 0x8000, ("00:01", "12"), is_named=True),)
CLOSED = [
    ("locks", [thread(7), thread(8, process=7)], {}),
    ("reads from a pipe of its own", [thread(7, READ, 3)], {}),
    ("waits for a child at a lock", [thread(7, WAIT, 8), thread(8)], {}),
    ("polls a pipe without a limit", [thread(7, POLL, 0x70, 1, FOR_EVER)], {"polled": {7: (3,)}}),
    ("a file's lock of its child", [thread(7, FLOCK, 3), thread(8)], {"locks": (FileLock(7, 8, "FLOCK", 1),)}),
    ("a lock shared within the tree", [thread(7, FUTEX, 0x7000, SHARED, 0, 0), thread(8)], {"shared": SHARED_MEMORY}),
    ("the end of a thread", [thread(7, FUTEX, 0xF000, SHARED, 0, 0)], {"shared": SHARED_MEMORY}),
    ("a child that nobody has reaped", [thread(7), thread(8, None, state="Z")], {}),
    ("Python's own handlers", [thread(7, caught=1 << 1 | 1 << 16)], {}),
    ("a worker that may be asked to end", [thread(7, WAIT, 8), thread(8, caught=1 << 14)], {}),
]  # fmt: skip
OPEN = [
    ("a time limit", [thread(7, FUTEX, 0x7000, PRIVATE, 0, 0x7FFF)], {}, "with a time limit"),
    ("a sleep", [thread(7), thread(8, SLEEP, 1)], {}, "sleeps"),
    ("a socket", [thread(7, READ, 3)], {"descriptors": {(7, 3): "socket:[9]"}}, "socket:[9]"),
    ("a server", [thread(7, ACCEPT, 3)], {}, "waits in accept"),
    ("a poll with a limit", [thread(7, POLL, 0x70, 1, 5000)], {"polled": {7: (3,)}}, "waits in poll"),
    ("a poll that could not be read", [thread(7, POLL, 0x70, 1, FOR_EVER)], {"polled": {7: ()}}, "waits in poll"),
    ("a stranger's end of a pipe", [thread(7, READ, 3)], {"holders": {PIPE: frozenset((7, 99))}}, "process 99"),
    ("a stranger's lock", [thread(7, FLOCK, 3)], {"locks": (FileLock(7, 99, "FLOCK", 1),)}, "process 99 holds"),
    ("a lock of nobody known", [thread(7, FLOCK, 3)], {"locks": (FileLock(7, None, "OFDLCK", 1),)}, "file's lock"),
    ("a stranger's memory", [thread(7, FUTEX, 0x7000, SHARED, 0, 0)], {"shared": SHARED_MEMORY}, "process 8 shares"),
    ("a file that anybody can map", [thread(7, FUTEX, 0x7000, SHARED, 0, 0)], {"shared": NAMED}, "others may map"),
    ("a debugger", [thread(7, tracer=99)], {}, "being traced"),
    ("stopped by a debugger", [thread(7, state="t")], {}, "stopped by a debugger"),
    ("stopped", [thread(7), thread(8, state="T")], {}, "is stopped"),
    ("frozen", [thread(7, wchan="do_freezer_trap")], {}, "frozen"),
    ("a device", [thread(7, state="D")], {}, "device"),
    ("runs", [thread(7), thread(8, None, state="R")], {}, "could not be seen"),
    ("a signal", [thread(7, caught=1 << 9)], {}, "handles signal 10"),
    ("not all seen", [thread(7)], {"is_complete": False}, "could be seen"),
    ("unknown call", [thread(7, 9999)], {}, "waits in the kernel"),
]  # fmt: skip


@pytest.mark.parametrize(("threads", "changes"), [row[1:] for row in CLOSED], ids=[row[0] for row in CLOSED])
def test_closed(threads: list[KernelThread], changes: dict[str, object]) -> None:
    """Nobody is left who could end it."""
    assert open_by(*threads, **changes) == ""


@pytest.mark.parametrize(("threads", "changes", "words"), [row[1:] for row in OPEN], ids=[row[0] for row in OPEN])
def test_open(threads: list[KernelThread], changes: dict[str, object], words: str) -> None:
    """What may still end it is said."""
    assert words in open_by(*threads, **changes)


@pytest.mark.parametrize("change", [{"ticks": 10}, {"switches": 5}, {"arguments": (1, PRIVATE, 0, 0)}, {"syscall": 0}])
def test_whoever_moved_may_move_again(change: dict[str, object]) -> None:
    """A tick, a context switch, another call: each is enough."""
    found = closed.circle(look(thread(7)), look(thread(7, **change), t=5.0))
    assert found.open_by == "thread 7 (python) of process 7 woke up in between"


def test_whoever_came_or_went_is_movement() -> None:
    """A process that was started between the looks."""
    found = closed.circle(look(thread(7)), look(thread(7), thread(8), t=5.0))
    assert found.open_by == "processes or threads came or went"
