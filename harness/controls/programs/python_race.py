"""A race of two Python threads: one writes to a buffer that the other has given back between the look and the write.

The calls keep the GIL (PyDLL), so only a switch of the interpreter between two of their instructions brings it about:
no pool has a part in it, and no number of threads that a variable sets. Each thread alone does no harm.
"""

import ctypes
import mmap
import threading

import weights  # noqa: F401 - it is held

ROWS, BUFFERS, SIZE = 20_000, 64, 4096
libc = ctypes.PyDLL(None)
region = mmap.mmap(-1, BUFFERS * SIZE)
base = ctypes.addressof(ctypes.c_char.from_buffer(region))
current = [base]


def allow(address: int, access: int) -> None:
    """Make one buffer usable, or not."""
    libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(SIZE), access)


def write() -> None:
    """Look where the buffer is, work out a row, write it."""
    for row in range(ROWS):
        address = current[0]
        value = sum(range(100 + row % 50)) % 256
        libc.memset(ctypes.c_void_p(address), value, ctypes.c_size_t(SIZE))


def renew() -> None:
    """Take the next buffer and give the old one back."""
    for row in range(ROWS):
        old, new = current[0], base + (row + 1) % BUFFERS * SIZE
        allow(new, mmap.PROT_READ | mmap.PROT_WRITE)
        current[0] = new
        allow(old, 0)


print("step 1", flush=True)
threads = [threading.Thread(target=work) for work in (write, renew)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("step 2", flush=True)
