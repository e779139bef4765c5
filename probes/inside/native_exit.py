"""Holds the process where native code calls C `exit()`: Python's finalization does not run then, and nothing tells.

Handlers are registered with libc, which exit() runs in the reverse order, each with a pointer into one page of ours.
`unlink` removes a file that was made beforehand (the mark), and `nanosleep` waits, alive and with its stack whole,
until the supervisor has looked and sent the release signal, or the time on the page is over. Both are libc's own: no
Python runs in them, so no lock of the interpreter is needed, on whatever thread. There are several sleeps in a row,
because a tool that stops the process ends one: exit() calls a handler with its status as the second argument, which
nanosleep takes for the place to write the rest of the time to, and the kernel does not resume a sleep where it cannot
write that.

A normal end must not wait: the interpreter's finalization empties the page, after which `unlink` finds no path and
`nanosleep` no time. A child that native code forks must neither: its page is empty from birth (MADV_WIPEONFORK). One
that Python forks inherits the handlers, and fills its page with the mark of its own folder. `unlink` it is, since it
needs no descriptor, no room on a disk, and no second argument: a program may exit because there was none of these.
Sources: glibc's stdlib/cxa_atexit.c and exit.c (a handler is called with its pointer and the exit status), madvise(2),
nanosleep(2), signal(7): a sleep is never resumed after a handler; the kernel's kernel/time/hrtimer.c.
"""

from __future__ import annotations

import atexit
import importlib.util
import mmap
import os
import signal
import struct
import sys
from typing import Any

from .lines import Lines, RecordFolder

MARK = "native_exit.armed"
SLEEPS, SLEEP_SECONDS = 8, 4  # at most 32 s, where nobody releases it
WIPE_ON_FORK = 18
PATH_AT = 16  # on the page: a timespec, then the mark's path
_kept: list = []  # the page must live as long as the process


def watch(folder: RecordFolder, inside: Lines) -> None:
    """Register the handlers, or note why they cannot be."""
    reason = _missing(folder.file(MARK))
    if reason:
        inside.write(event="gap", probe="native exit", reason=reason)
        return
    import ctypes  # here: an interpreter without it can still be observed

    libc = ctypes.CDLL(None)
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE), WIPE_ON_FORK) != 0:
        inside.write(event="gap", probe="native exit", reason="this kernel cannot wipe a page on fork (Linux 4.14)")
        return
    _fill(page, folder.file(MARK))
    _register(ctypes, libc, address)
    atexit.register(_disarm, page)
    _kept.append(page)
    _tell(inside, address)


def move(folder: RecordFolder, inside: Lines) -> None:
    """Arm this process too, which Python has forked: with a mark of its own."""
    for page in _kept:
        import ctypes

        _fill(page, folder.file(MARK))
        _tell(inside, ctypes.addressof(ctypes.c_char.from_buffer(page)))


def _tell(inside: Lines, address: int) -> None:
    inside.write(event="native exit armed", address=hex(address), release_signal=int(release_signal()))


def release_signal() -> int:
    """Return the signal that ends the wait: the last real-time one, which programs hardly use."""
    return signal.SIGRTMAX


def _missing(mark: str) -> str:
    """Return why exit() cannot be held here; "" where it can."""
    if sys.platform != "linux":
        return "C exit() is held on Linux only"
    if importlib.util.find_spec("_ctypes") is None:
        return "this Python has no ctypes"
    if "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return "the C library is not glibc"
    return "" if len(os.fsencode(mark)) < mmap.PAGESIZE - PATH_AT else "the folder's path is too long"


def _fill(page: mmap.mmap, mark: str) -> None:
    with open(mark, "w", encoding="utf-8") as stream:
        stream.write("removed when native code calls exit()\n")
    path = os.fsencode(mark) + b"\0"
    struct.pack_into("ll", page, 0, SLEEP_SECONDS, 0)
    page[PATH_AT : PATH_AT + len(path)] = path


def _register(ctypes: Any, libc: Any, address: int) -> None:
    libc.signal.restype = ctypes.c_void_p
    if signal.getsignal(release_signal()) is signal.SIG_DFL:
        libc.signal(release_signal(), libc.abs)  # harmless: its arrival makes nanosleep return
    for function, pointer in [(libc.nanosleep, address)] * SLEEPS + [(libc.unlink, address + PATH_AT)]:
        libc.__cxa_atexit(ctypes.cast(function, ctypes.c_void_p), ctypes.c_void_p(pointer), None)


def _disarm(page: mmap.mmap) -> None:
    """The interpreter finalizes: from here on exit() is the normal end."""
    page[: mmap.PAGESIZE] = bytes(mmap.PAGESIZE)
