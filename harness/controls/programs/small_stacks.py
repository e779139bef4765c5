"""A computation that needs 40 KB of stack, on a thread that has less; with more it ends well.

Usage: small_stacks.py pool|thread. pool: a worker of an OpenMP pool, whose stacks OMP_STACKSIZE makes small; thread: a
thread of Python's, after threading.stack_size.
"""

import ctypes
import importlib.util
import mmap
import os
import sys
import threading
from pathlib import Path

import weights  # noqa: F401 - it is held

WORDS = (5000).to_bytes(4, "little")
BYTES = (8 * 5000).to_bytes(4, "little")
PUSH_ALL = b"\xb9" + WORDS + b"\x50\xe2\xfd\x48\x81\xc4" + BYTES + b"\xc3"  # mov ecx; push rax; loop; add rsp; ret
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
code = libc.mmap(None, ctypes.c_size_t(4096), 7, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
ctypes.memmove(code, PUSH_ALL, len(PUSH_ALL))


def on_a_pool() -> None:
    """Have every thread of the team compute."""
    os.environ["OMP_STACKSIZE"] = "16k"
    gomp = Path(importlib.util.find_spec("torch").origin).parent / "lib" / "libgomp.so.1"
    ctypes.CDLL(str(gomp)).GOMP_parallel(ctypes.c_void_p(code), None, 2, 0)


def on_a_thread() -> None:
    """Have one of Python's threads compute."""
    threading.stack_size(32768)
    thread = threading.Thread(target=ctypes.CFUNCTYPE(None)(code), name="graph")
    thread.start()
    thread.join()


print("step 1", flush=True)
on_a_pool() if sys.argv[1] == "pool" else on_a_thread()
print("step 2", flush=True)
