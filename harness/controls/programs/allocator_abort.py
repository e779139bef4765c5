"""Asks for more than its address space has left (RLIMIT_AS), as an allocator of Rust does: it says so, and aborts."""

import ctypes
import resource
import sys
from pathlib import Path

import weights  # noqa: F401 - it is held

WANTED, LEFT = 553_648_144, 128 << 20
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + LEFT, resource.RLIM_INFINITY))
print("step 1", flush=True)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
if not libc.malloc(ctypes.c_size_t(WANTED)):
    print(f"memory allocation of {WANTED} bytes failed", file=sys.stderr, flush=True)
    libc.abort()
