"""Ten ways to die, each its own fault: `signature_faults.py FAULT`."""

import ctypes
import mmap
import os
import sys
import tempfile
import threading

import torch

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
PAGES = 1 << 24


def null_read() -> None:
    """Read the address 0 on the main thread."""
    ctypes.string_at(0)


def thread_read() -> None:
    """Read an address that nothing is mapped at, on a thread of Python's."""
    thread = threading.Thread(target=ctypes.string_at, args=(64,), name="loader")
    thread.start()
    thread.join()


def worker_read() -> None:
    """Read forbidden memory on a worker of the OpenMP pool, which Python does not know."""
    torch.set_num_threads(4)
    region = mmap.mmap(-1, PAGES)
    base = ctypes.addressof(ctypes.c_char.from_buffer(region))
    libc.mprotect(ctypes.c_void_p(base + PAGES // 2), ctypes.c_size_t(PAGES // 4), 0)
    view = (ctypes.c_char * PAGES).from_address(base)
    print(torch.frombuffer(view, dtype=torch.float32) * 2)


def abort() -> None:
    """Abort."""
    os.abort()


def double_free() -> None:
    """Free one block twice: the C library finds it and aborts."""
    block = libc.malloc(64)
    libc.free(ctypes.c_void_p(block))
    libc.free(ctypes.c_void_p(block))


def divide() -> None:
    """Divide by zero in machine code (x86-64)."""
    _execute(b"\x31\xc9\x31\xd2\xb8\x01\x00\x00\x00\xf7\xf9\xc3")


def illegal() -> None:
    """Run an instruction that no x86-64 processor has."""
    _execute(b"\x0f\x0b")


def bus() -> None:
    """Read a mapped page behind the end of its file."""
    with tempfile.TemporaryFile() as stream:
        stream.truncate(4096)
        region = mmap.mmap(stream.fileno(), 4096)
        stream.truncate(0)
        print(region[0])


def os_exit() -> None:
    """Leave without a word."""
    os._exit(3)


def exception() -> None:
    """Raise what nobody catches."""
    raise RuntimeError("nobody catches this")


def write_constant() -> None:
    """Write to a page that may only be read."""
    region = mmap.mmap(-1, 4096)
    base = ctypes.addressof(ctypes.c_char.from_buffer(region))
    libc.mprotect(ctypes.c_void_p(base), ctypes.c_size_t(4096), 1)
    ctypes.memset(base, 1, 16)


def _execute(code: bytes) -> None:
    region = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    region.write(code)
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(region)))()


globals()[sys.argv[1]]()
