"""Starts a pool of OMP_NUM_THREADS threads where the user may have one: pthread_create fails, and the pool gives up.

The administrator is not bound by RLIMIT_NPROC, so as such it first gives away the user id and the capabilities that
lift the limit (setresuid(2), capset(2)).
"""

import ctypes
import os
import resource
import sys
import threading

CAPABILITIES = (ctypes.c_uint32 * 6)()
HEADER = (ctypes.c_uint32 * 2)(0x20080522, 0)
libc = ctypes.CDLL(None)
if os.geteuid() == 0:
    os.setresuid(int(sys.argv[1]), 0, 0)
    libc.capget(HEADER, CAPABILITIES)
    for index in (0, 1):  # effective and permitted, without CAP_SYS_ADMIN (21) and CAP_SYS_RESOURCE (24)
        CAPABILITIES[index] &= ~(1 << 21 | 1 << 24)
    libc.capset(HEADER, CAPABILITIES)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
print("step 1", flush=True)
pool = [threading.Thread(target=print, args=(f"worker {number}",)) for number in range(1, int(os.environ["OMP_NUM_THREADS"]))]
for thread in pool:
    thread.start()
for thread in pool:
    thread.join()
