"""Signals to single threads, and a look into a process' memory: system calls that answer with an error, never raise.

Sources: tgkill(2), kill(2), process_vm_readv(2) and process_vm_writev.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

TGKILL = {"x86_64": 234, "aarch64": 131}


class _Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def signal_thread(pid: int, tid: int, number: int) -> bool:
    """Send a signal to one thread; False where it has gone."""
    call = TGKILL.get(os.uname().machine)
    return call is not None and _library().syscall(call, pid, tid, number) == 0


def signal_process(pid: int, number: int) -> bool:
    """Send a signal to a process; False where it has gone."""
    return bool(_library().kill(pid, number) == 0)


def read_memory(pid: int, address: int, size: int) -> bytes:
    """Return what a process has at an address; fewer bytes, or none, where it may not be read."""
    buffer = ctypes.create_string_buffer(size)
    count = _transfer("process_vm_readv", pid, buffer, address, size)
    return buffer.raw[: max(0, count)]


def write_memory(pid: int, address: int, content: bytes) -> bool:
    """Write into a process; whether all of it was written."""
    buffer = ctypes.create_string_buffer(content, len(content))
    return _transfer("process_vm_writev", pid, buffer, address, len(content)) == len(content)


def _transfer(call: str, pid: int, buffer: ctypes.Array[ctypes.c_char], address: int, size: int) -> int:
    local = _Vector(ctypes.cast(buffer, ctypes.c_void_p).value, size)
    remote = _Vector(address, size)
    return int(getattr(_library(), call)(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
