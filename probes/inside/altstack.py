"""Gives threads a stack for signal handlers: without one, a thread whose stack is full dies before any handler runs.

Source: sigaltstack(2). Threads that native code starts (an OpenMP pool's) cannot be given one from here.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
from collections.abc import Callable
from typing import Any

from .fault_page import FAILED, library

SIZE = 256 * 1024  # of address space; torch's handler writes out names of hundreds of frames
SS_DISABLE = 2


class StackT(ctypes.Structure):
    """stack_t."""

    _fields_ = [("pointer", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def give() -> int:
    """Give the calling thread an alternate stack; return its address (0: there is no memory for it)."""
    libc = library()
    address = libc.mmap(
        None, SIZE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0
    )  # fmt: skip
    if address in (None, FAILED):
        return 0
    libc.sigaltstack(ctypes.byref(StackT(address, 0, SIZE)), None)
    return int(address)


def take_back(address: int) -> None:
    """Take the calling thread's alternate stack away and free it."""
    libc = library()
    if address:
        libc.sigaltstack(ctypes.byref(StackT(None, SS_DISABLE, 0)), None)
        libc.munmap(address, SIZE)


def give_to_threads() -> bool:
    """Give one to every thread that `threading` starts from now on; False where this Python starts them otherwise."""
    original: Any = getattr(threading.Thread, "_bootstrap_inner", None)
    if original is None:
        return False
    threading.Thread._bootstrap_inner = _wrapped(original)  # type: ignore[attr-defined]
    return True


def _wrapped(original: Callable) -> Callable:
    def _bootstrap_inner(thread: threading.Thread) -> None:
        address = give()
        original(thread)
        take_back(address)

    return _bootstrap_inner
