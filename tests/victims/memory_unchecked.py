"""Asks malloc for 64 MiB at a time, up to 768, and writes without looking at what it got: under a limit, at 0."""

import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
for _ in range(12):
    ctypes.memset(libc.malloc(64 << 20) or 0, 1, 64 << 20)
print("holding", flush=True)
