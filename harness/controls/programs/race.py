"""A data race: OMP_NUM_THREADS threads count their rows in one place, and an update is lost between its two halves.

The main thread then follows the pointer of a row that nobody has written. Usage: race.py ROWS; the more rows a thread
has, the likelier it strikes; one thread alone never loses one.
"""

import ctypes
import os
import sys
import threading

import weights  # noqa: F401 - it is held

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
threads, rows = int(os.environ["OMP_NUM_THREADS"]), int(sys.argv[1])
table = {threads * rows: libc.malloc(ctypes.c_size_t(8))}
counted = 0
together = threading.Barrier(threads)


def count() -> None:
    """Add one for every row; during the call of native code another thread may do so as well."""
    global counted
    together.wait()
    for _ in range(rows):
        before = counted
        libc.abs(1)
        counted = before + 1


print("step 1", flush=True)
pool = [threading.Thread(target=count) for _ in range(threads)]
for thread in pool:
    thread.start()
for thread in pool:
    thread.join()
ctypes.string_at(table.get(counted, 64), 8)
print("step 2", flush=True)
