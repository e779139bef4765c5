"""A data race: OMP_NUM_THREADS threads look whether a shared block is there, and free it. One thread never frees twice.

Usage: race.py BLOCKS; the more blocks, the likelier it strikes.
"""

import ctypes
import os
import sys
import threading

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
blocks = [libc.malloc(ctypes.c_size_t(64)) for _ in range(int(sys.argv[1]))]
threads = int(os.environ["OMP_NUM_THREADS"])
together = threading.Barrier(threads)


def release() -> None:
    """Free what is still there: another thread may do so between the look and the mark."""
    together.wait()
    for index in range(len(blocks)):
        block = blocks[index]
        if block:
            libc.free(ctypes.c_void_p(block))
            blocks[index] = 0


print("step 1", flush=True)
pool = [threading.Thread(target=release) for _ in range(threads)]
for thread in pool:
    thread.start()
for thread in pool:
    thread.join()
print("step 2", flush=True)
