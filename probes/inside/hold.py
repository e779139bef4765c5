"""Holds the process alive at the instant of its death, until the supervisor has looked and lets it die of its signal.

Three layers of handlers, for SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT:

    gate   on top: notes the original siginfo and registers on the fault page, then calls the handlers below it.
           A second thread that faults meanwhile is held here at once.
    (torch's handler prints the native stacks of all threads; faulthandler's prints the Python stacks and raises again)
    hold   at the bottom: waits in libc's sigsuspend() until it is released.

Both leave for sigsuspend() by a jump, so that no frame of ours, which no unwinder understands, is left on the stack.

Two real-time signals serve the supervisor: `release` sets the fatal signal back to its default, so that the faulting
instruction, run again, ends the process as it would have without us; `freeze` stops every other thread where it is.
They are machine code, since no Python can run in a broken process, and no code of the target's can be in the way. Where
a system forbids memory of ours to be executed, libc's own pause(2) is the handler, and `abs` the one that releases it.

Sources: sigaction(2), sigaltstack(2), signal-safety(7), Modules/faulthandler.c, c10/util/signal_handler.cpp.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
from typing import Any, Optional

from .fault_page import ALARM, FAILED, FREEZE, HOLD_SECONDS, MACHINE_CODE, MODE, PAUSE, PREVIOUS, SUSPEND, Page, library

FATAL = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT)
SA_SIGINFO, SA_ONSTACK, SA_NODEFER, SA_RESETHAND = 0x4, 0x08000000, 0x40000000, 0x80000000
CODE_SIZE = 4096
PR_SET_PTRACER, ANYBODY = 0x59616D61, -1


class Action(ctypes.Structure):
    """struct sigaction of glibc and of musl."""

    _fields_ = [
        ("handler", ctypes.c_void_p), ("mask", ctypes.c_ulong * 16), ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    ]  # fmt: skip


class Hold:
    """The handlers of this process; made before faulthandler is enabled, which then stands above `hold`."""

    def __init__(self, path: str) -> None:
        """Map the page at `path`, load the code, install the lower handlers."""
        self._libc = library()
        self._page = Page(self._libc, path)
        self._entries = _load(self._libc, self._page.address) if self._page.address else {}
        self._below_gate: dict = {}
        self._release, self._freeze = signal.SIGRTMAX - 2, signal.SIGRTMAX - 3
        self.is_armed = bool(self._page.address)  # without a page nobody would notice, and nobody release
        if self.is_armed:
            self._write_page()
            self._install_below()
        self._libc.prctl(PR_SET_PTRACER, ctypes.c_long(ANYBODY), 0, 0, 0)  # where Yama asks for it

    @property
    def has_code(self) -> bool:
        """Whether the machine code could be loaded."""
        return bool(self._entries)

    def close_gate(self) -> None:
        """Put the gate on top of the handlers that are installed now."""
        for number in FATAL if self.has_code else ():
            before = self._action(number)
            if before.handler and before.handler > 1 and before.handler != self._entries["gate"]:
                self._below_gate[number] = before
                self._page.write("<Q", PREVIOUS + 8 * number, before.handler)
                self._install(number, self._entries["gate"], SA_SIGINFO | SA_ONSTACK | SA_NODEFER)

    def lift_gate(self) -> None:
        """Take the gate away where it is on top, so that another handler may go under it."""
        for number, before in self._below_gate.items():
            if self._action(number).handler == self._entries["gate"]:
                self._libc.sigaction(int(number), ctypes.byref(before), None)

    def move(self, path: str) -> None:
        """Note faults on another page from now on: for a forked child."""
        self._page.move(path)
        self._libc.prctl(PR_SET_PTRACER, ctypes.c_long(ANYBODY), 0, 0, 0)

    def _write_page(self) -> None:
        page = self._page
        heard = (self._release, signal.SIGALRM, *FATAL)  # SIGUSR2: torch asks every thread for its stack by it
        page.write("<QQ", 0x10, _all_but(*heard, signal.SIGUSR2), _all_but(*heard))
        page.write("<QQQQ", ALARM, 0, 0, HOLD_SECONDS, 0)
        page.write("<I", FREEZE, self._freeze)
        page.write("<Q", SUSPEND, _address(self._libc.sigsuspend))
        page.write("<II", MODE, MACHINE_CODE if self.has_code else PAUSE, self._release)

    def _install_below(self) -> None:
        libc, found = self._libc, self._entries
        flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER if found else SA_ONSTACK | SA_NODEFER | SA_RESETHAND
        self._install(self._release, found.get("release") or _address(libc.abs), SA_ONSTACK)
        if found:
            self._install(self._freeze, found["freeze"], SA_ONSTACK)
        for number in FATAL:
            self._install(number, found.get("hold") or _address(libc.pause), flags)

    def _install(self, number: int, handler: int, flags: int) -> None:
        action = Action(handler=handler, flags=ctypes.c_int(flags).value)
        self._libc.sigaction(int(number), ctypes.byref(action), None)

    def _action(self, number: int) -> Action:
        action = Action()
        self._libc.sigaction(int(number), None, ctypes.byref(action))
        return action


def missing() -> Optional[str]:
    """Return why a crash cannot be held on this machine, or None where it can."""
    if _code() is None:
        return f"a crash is held on x86-64 and aarch64 only, and this is {os.uname().machine}"
    return None


def _code() -> Any:
    if ctypes.sizeof(ctypes.c_void_p) == 8 and os.uname().machine == "x86_64":
        from . import code_x86_64

        return code_x86_64
    if ctypes.sizeof(ctypes.c_void_p) == 8 and os.uname().machine == "aarch64":
        from . import code_aarch64

        return code_aarch64
    return None


def _load(libc: Any, page: int) -> dict:
    """Return entry -> address of the machine code; empty where the system forbids to execute memory of ours."""
    code = _code()
    anonymous = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    address = libc.mmap(None, CODE_SIZE, mmap.PROT_READ | mmap.PROT_WRITE, anonymous, -1, 0)
    if address in (None, FAILED):
        return {}
    content = code.CODE + page.to_bytes(8, "little")
    ctypes.memmove(address, content, len(content))
    if libc.mprotect(address, CODE_SIZE, mmap.PROT_READ | mmap.PROT_EXEC) != 0:
        return {}
    return {name: address + offset for name, offset in code.ENTRIES.items()}


def _all_but(*numbers: int) -> int:
    return (1 << 64) - 1 - sum(1 << (number - 1) for number in numbers)


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
