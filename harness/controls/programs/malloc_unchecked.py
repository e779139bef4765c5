"""Never looks at what malloc returns: under a limit it is NULL, and the write to it is an invalid access."""

import ctypes
import resource
import time

LIMIT = 256 << 20
before = resource.getrlimit(resource.RLIMIT_DATA)[0]
lowest = LIMIT if before == resource.RLIM_INFINITY else min(LIMIT, before)  # a lower one stays
resource.setrlimit(resource.RLIMIT_DATA, (lowest, lowest))
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for step in range(64):
    ctypes.memset(libc.malloc(ctypes.c_size_t(8 << 20)) or 0, 1, 8 << 20)
    print(f"step {step}", flush=True)
    time.sleep(0.05)
