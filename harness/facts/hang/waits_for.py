"""What a thread waits for, from the system call that it sits in and the kernel function that it sleeps in. Pure.

Sources: the kernel's syscall tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h) and
proc_pid_syscall(5). A call that a tracer has interrupted is shown as restart_syscall(2): then wchan decides.
"""

from __future__ import annotations

import dataclasses
import enum

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


X86_64 = {
    0: "read", 1: "write", 2: "open", 7: "poll", 16: "ioctl", 17: "pread64", 18: "pwrite64", 19: "readv", 20: "writev",
    23: "select", 34: "pause", 35: "nanosleep", 42: "connect", 43: "accept", 44: "sendto", 45: "recvfrom",
    46: "sendmsg", 47: "recvmsg", 61: "wait4", 65: "semop", 72: "fcntl", 73: "flock", 74: "fsync", 75: "fdatasync",
    128: "rt_sigtimedwait", 130: "rt_sigsuspend", 202: "futex", 219: "restart_syscall", 220: "semtimedop",
    230: "clock_nanosleep", 232: "epoll_wait", 247: "waitid", 257: "openat", 270: "pselect6", 271: "ppoll",
    281: "epoll_pwait", 288: "accept4", 441: "epoll_pwait2", 449: "futex_waitv", 455: "futex_wait",
}  # fmt: skip
AARCH64 = {
    22: "epoll_pwait", 25: "fcntl", 29: "ioctl", 32: "flock", 56: "openat", 63: "read", 64: "write", 65: "readv",
    66: "writev", 67: "pread64", 68: "pwrite64", 72: "pselect6", 73: "ppoll", 82: "fsync", 83: "fdatasync",
    95: "waitid", 98: "futex", 101: "nanosleep", 115: "clock_nanosleep", 128: "restart_syscall",
    133: "rt_sigsuspend", 137: "rt_sigtimedwait", 192: "semtimedop", 193: "semop", 202: "accept", 203: "connect",
    206: "sendto", 207: "recvfrom", 211: "sendmsg", 212: "recvmsg", 242: "accept4", 260: "wait4",
    441: "epoll_pwait2", 449: "futex_waitv", 455: "futex_wait",
}  # fmt: skip
NAMES = {"x86_64": X86_64, "aarch64": AARCH64}
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
