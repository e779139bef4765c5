"""The fault page: a file of 8 KiB, mapped into the process, into which the crash handlers write what they see.

The supervisor maps the same file: it notices a fault at its next look, without asking the kernel about the process, and
what was written outlives the process. All numbers are little endian.

    000  8 bytes  magic
    008  u32      faults so far; each takes a slot
    00c  u32      set to 1 by the supervisor: let the process die
    010  u64      the signals that are blocked in a thread that is held; 018: in one that is frozen
    020  32 bytes of zeros: the kernel's struct sigaction of SIG_DFL, and a timer's value of zero
    040  u64 [16] by signal: the handler that was there before the gate
    0c0  u32      the first fault's signal; 0c4: set to 1 by the supervisor: it was sent, so raise it again to die
    0c8  u32      1: machine code, with all of the below; 2: libc's pause, no slots; 0: not armed yet
    0cc  u32      the signal that releases; 0f0: the one that freezes
    0d0  32 bytes struct itimerval of HOLD_SECONDS
    0f8  u64      libc's sigsuspend
    400  7 slots of 1024 bytes, one a faulting thread, in the order of the faults:
         000 u32 state (1 faulted, 2 held), 004 thread id, 008 process id, 00c signal,
         010 the first 64 bytes of siginfo_t, 050 struct timespec of CLOCK_MONOTONIC, 060 the first 480 of ucontext_t
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import struct
from typing import Any

SIZE, HEADER_SIZE = 8192, 0x400
MAGIC = b"INQFAULT"
PREVIOUS, MODE, ALARM, FREEZE, SUSPEND = 0x40, 0xC8, 0xD0, 0xF0, 0xF8
MACHINE_CODE, PAUSE = 1, 2
HOLD_SECONDS = 60
MAP_FIXED = 0x10
FAILED = ctypes.c_void_p(-1).value


@functools.lru_cache(maxsize=None)
def library() -> Any:
    """Return the C library, its memory functions declared."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.sigaltstack.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return libc


class Page:
    """This process' page; its address never changes, so the machine code that knows it need not either."""

    def __init__(self, libc: Any, path: str) -> None:
        """Make the file and map it; `address` is 0 where that is refused."""
        self._libc = libc
        self.address = self._map(path, None, 0)
        self.write("<8s", 0, MAGIC)

    def move(self, path: str) -> None:
        """Map another file at the same address, with the same header and no faults: for a forked child."""
        header = ctypes.string_at(self.address, HEADER_SIZE)
        if self._map(path, self.address, MAP_FIXED):
            ctypes.memmove(self.address, header, HEADER_SIZE)
            self.write("<II", 8, 0, 0)

    def write(self, layout: str, offset: int, *values: object) -> None:
        """Write values in struct's notation."""
        data = struct.pack(layout, *values)
        if self.address:
            ctypes.memmove(self.address + offset, data, len(data))

    def _map(self, path: str, address: object, flags: int) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        os.ftruncate(descriptor, SIZE)  # never to less: the supervisor has mapped the page that an exec leaves behind
        os.write(descriptor, bytes(SIZE))
        access = mmap.PROT_READ | mmap.PROT_WRITE
        found = self._libc.mmap(address, SIZE, access, mmap.MAP_SHARED | flags, descriptor, 0)
        os.close(descriptor)
        return 0 if found in (None, FAILED) else int(found)
