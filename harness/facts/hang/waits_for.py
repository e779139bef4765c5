"""What a thread waits for, from the system call that it sits in and the kernel function that it sleeps in. Pure.

Source: proc_pid_syscall(5). A call that a tracer has interrupted is shown as restart_syscall(2): then wchan decides.
"""

from __future__ import annotations

import dataclasses
import enum

from probes.outside.threads.system_calls import NAMES
from probes.outside.threads.thread_states import KernelThread


class Waits(enum.StrEnum):
    """The ways of doing nothing."""

    LOCK = "lock"
    IO = "I/O"
    DISK = "disk"
    SLEEP = "sleep"
    CHILD = "child process"
    NOT = "not waiting"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class Wait:
    """How one thread waits: the call's name ("" where the kernel does not say), and its descriptor where it has one.

    `timed`: it waits for a lock, and not for ever.
    """

    how: Waits
    call: str = ""
    descriptor: int | None = None
    timed: bool = False


LOCKS = frozenset(("futex", "futex_wait", "futex_waitv", "semop", "semtimedop"))
SLEEPS = frozenset(("nanosleep", "clock_nanosleep", "pause", "rt_sigsuspend", "rt_sigtimedwait"))
CHILDREN = frozenset(("wait4", "waitid"))
MANY = frozenset((  # descriptors, or none yet
    "poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "open", "openat",
))  # fmt: skip
LISTENING = frozenset(("accept", "accept4", "epoll_wait", "epoll_pwait", "epoll_pwait2"))  # what a server does all day
COUNT_ARGUMENT = {"poll": 1, "ppoll": 1, "select": 0, "pselect6": 0}  # of no descriptor at all: it only sleeps
TIMEOUT_ARGUMENT = 3  # of futex(2): a null pointer waits for ever
WCHANS = (
    ("futex", Waits.LOCK), ("nanosleep", Waits.SLEEP), ("do_wait", Waits.CHILD), ("sigsuspend", Waits.SLEEP),
    ("pipe", Waits.IO), ("poll", Waits.IO), ("select", Waits.IO), ("sock", Waits.IO), ("unix_", Waits.IO),
    ("skb", Waits.IO), ("accept", Waits.IO), ("partner", Waits.IO), ("tty", Waits.IO), ("locks_", Waits.IO),
    ("folio", Waits.DISK), ("page", Waits.DISK), ("nfs", Waits.DISK), ("io_schedule", Waits.DISK),
)  # fmt: skip


def wait_of(thread: KernelThread, machine: str) -> Wait:
    """Return how a thread waits, by its state, its system call, and else by its wait channel."""
    name = NAMES.get(machine, {}).get(-1 if thread.syscall is None else thread.syscall, "")
    if thread.state == "D":
        return Wait(Waits.DISK, name)
    if name and name != "restart_syscall":
        return _by_call(name, thread.arguments)
    if thread.state == "R":
        return Wait(Waits.NOT)
    found = next((how for word, how in WCHANS if word in thread.wchan), Waits.UNKNOWN)
    return Wait(found, thread.wchan)


def _by_call(name: str, arguments: tuple[int, ...]) -> Wait:
    if name in LOCKS:
        return Wait(Waits.LOCK, name, timed=name == "futex" and any(arguments[TIMEOUT_ARGUMENT : TIMEOUT_ARGUMENT + 1]))
    count = COUNT_ARGUMENT.get(name)
    if name in SLEEPS or (count is not None and arguments[count : count + 1] == (0,)):
        return Wait(Waits.SLEEP, name)
    if name in CHILDREN:
        return Wait(Waits.CHILD, name)
    return Wait(Waits.IO, name, None if name in MANY or not arguments else arguments[0])
