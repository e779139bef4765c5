"""Native code gives one block back twice; the C library finds it and aborts."""

import ctypes

import weights  # noqa: F401 - it is held

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
block = ctypes.c_void_p(libc.malloc(ctypes.c_size_t(4096)))
print("step 1", flush=True)
libc.free(block)
libc.free(block)
