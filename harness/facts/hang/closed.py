"""Whether a standstill is closed: nothing of the tree moved, and only the tree could end its waits. Pure.

Two looks, apart in time, must show the same threads in the same system calls, without a tick of CPU time and without a
context switch. Then each wait is asked what could end it:
- a futex without a time limit: a thread of the process, or of those that share the memory it lies in;
- a pipe, read, written or polled without a time limit: whoever holds an end of it, in the tree or out of it;
- a child's end: the child; a file's lock: its holder, as the kernel lists it.
Where all of these are in the tree nobody is left to end any of them. Whatever else might (a time limit, a sleep, a
socket, a terminal, a device, a signal that the program handles, a debugger, whoever stopped a process) leaves it open.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from harness.facts.hang.tree import Mapping, TreeLook
from harness.facts.hang.waits_for import CHILDREN, Wait, Waits, wait_of
from probes.outside.threads.thread_states import KernelThread

FUTEX, FILE_LOCKS, POLLS, PIPES = "futex", ("flock", "fcntl"), ("poll", "ppoll"), ("read", "write", "readv", "writev")
FUTEX_PRIVATE, FUTEX_COMMAND = 128, 0x7F
FUTEX_WAITS = (0, 6, 9, 11, 13)  # WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2 of futex(2)
NO_LIMIT = 1 << 31  # of poll(2), in 32 bits: negative
FROZEN = ("freez", "refrigerator")
STATES = {"R": "runs", "D": "waits for a device", "T": "is stopped", "t": "is stopped by a debugger"}
USUAL_SIGNALS = (
    2,
    4,
    5,
    6,
    7,
    8,
    11,
    13,
    17,
    32,
    33,
    61,
    62,
    64,
)  # Python's and glibc's own, faults, SIGCHLD, and ours
ENDING_SIGNALS = (1, 3, 15)  # a worker's handler of these ends it


@dataclasses.dataclass(frozen=True)
class Circle:
    """What two looks say: `open_by` is what may still end the standstill, "" where nothing can."""

    open_by: str
    seconds: float
    threads: int
    processes: int

    @property
    def is_closed(self) -> bool:
        """Whether nobody is left who could end it."""
        return not self.open_by


def circle(first: TreeLook, second: TreeLook) -> Circle:
    """Judge two looks at a tree."""
    reasons = (*_unseen(first, second), *_moves(first, second), *_ways_out(second))
    return Circle(
        next(iter(reasons), ""), round(second.t - first.t, 3), len(second.threads), len(second.parents)
    )  # fmt: skip


def _unseen(first: TreeLook, second: TreeLook) -> Iterator[str]:
    if not (first.is_complete and second.is_complete and second.main in second.threads):
        yield "not all of the tree could be seen"
    blind = {one.process for one in second.threads.values() if one.state != "Z" and one.syscall is None}
    if blind:
        yield f"what process {min(blind)} does could not be seen"


def _moves(first: TreeLook, second: TreeLook) -> Iterator[str]:
    if first.parents.keys() != second.parents.keys() or first.threads.keys() != second.threads.keys():
        yield "processes or threads came or went"
        return
    for now in second.threads.values():
        before = first.threads[now.id]
        same = (before.syscall, before.arguments, before.ticks, before.switches)
        if same != (now.syscall, now.arguments, now.ticks, now.switches):
            yield f"{_name(now)} woke up in between"


def _name(thread: KernelThread) -> str:
    return f"thread {thread.id} ({thread.name}) of process {thread.process}"


def _ways_out(look: TreeLook) -> Iterator[str]:
    for thread in look.threads.values():
        if thread.state == "Z":
            continue
        if thread.state in STATES or thread.tracer:
            yield f"{_name(thread)} {STATES.get(thread.state, 'is being traced')}"
        elif any(word in thread.wchan for word in FROZEN):
            yield f"{_name(thread)} is frozen by its control group"
        else:
            yield from _wait(look, thread)
    yield from _by_signals(look)


def _by_signals(look: TreeLook) -> Iterator[str]:
    """A handler that is no common one may set what a wait is for; who sends the signal may be outside."""
    for pid in look.parents:
        usual = USUAL_SIGNALS if pid == look.main else (*USUAL_SIGNALS, *ENDING_SIGNALS)
        caught = max((thread.caught for thread in look.threads_of(pid)), default=0)
        others = [number for number in range(1, 65) if caught >> (number - 1) & 1 and number not in usual]
        if others:
            yield f"process {pid} handles signal {others[0]}, which anybody may send"


def _wait(look: TreeLook, thread: KernelThread) -> Iterator[str]:
    """Yield what outside of the tree could end this thread's wait."""
    wait = wait_of(thread, look.machine)
    if wait.call == FUTEX:
        yield from _futex(look, thread, wait.timed)
    elif wait.call in CHILDREN:
        return
    elif wait.call in PIPES:
        yield from _ends(look, thread, (thread.arguments[0],))
    elif wait.call in POLLS and _is_untimed(thread, wait.call) and look.polled.get(thread.id):
        yield from _ends(look, thread, look.polled[thread.id])
    elif wait.call in FILE_LOCKS:
        yield from _file_lock(look, thread)
    else:
        yield f"{_name(thread)} {'sleeps' if wait.how is Waits.SLEEP else _other(look, thread, wait)}"


def _other(look: TreeLook, thread: KernelThread, wait: Wait) -> str:
    """Any other call: of a descriptor, what that leads to."""
    target = look.descriptors.get((thread.process, -1 if wait.descriptor is None else wait.descriptor))
    return f"waits in {wait.call or 'the kernel'}" + (f" for {target}" if target else "")


def _futex(look: TreeLook, thread: KernelThread, timed: bool) -> Iterator[str]:
    operation = thread.arguments[1]
    if timed or operation & FUTEX_COMMAND not in FUTEX_WAITS:
        yield f"{_name(thread)} waits at a lock, with a time limit"
    elif not operation & FUTEX_PRIVATE:
        strangers = {one.process for one in _shared(look, thread)} - look.parents.keys()
        if any(one.is_named for one in _shared(look, thread)):
            yield f"{_name(thread)} waits at a lock in a file that others may map"
        elif strangers:
            yield f"{_name(thread)} waits at a lock that process {min(strangers)} shares"


def _shared(look: TreeLook, thread: KernelThread) -> list[Mapping]:
    """Return the memory of a lock wherever it is mapped; none where it is the process' own."""
    address = thread.arguments[0]
    own = [one for one in look.shared if one.process == thread.process and one.low <= address < one.high]
    return [one for one in look.shared for mine in own if one.file == mine.file]


def _is_untimed(thread: KernelThread, call: str) -> bool:
    limit = thread.arguments[2]
    return limit == 0 if call == "ppoll" else bool(limit & NO_LIMIT)


def _ends(look: TreeLook, thread: KernelThread, numbers: tuple[int, ...]) -> Iterator[str]:
    for number in numbers:
        target = look.descriptors.get((thread.process, number), f"descriptor {number}")
        strangers = look.holders.get(target, frozenset()) - look.parents.keys()
        if target not in look.holders:
            yield f"{_name(thread)} waits for {target}"
        elif strangers:
            yield f"{_name(thread)} waits for {target}, which process {min(strangers)} has open"


def _file_lock(look: TreeLook, thread: KernelThread) -> Iterator[str]:
    lock = next((one for one in look.locks if one.waiter == thread.process), None)
    if lock is None or lock.holder is None or lock.holder not in look.parents:
        holder = f", which process {lock.holder} holds" if lock is not None and lock.holder else ""
        yield f"{_name(thread)} waits for a file's lock{holder}"
