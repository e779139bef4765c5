"""Ends in the way that its argument names: by a fault of its own, or where memory has, or may have, a hand in it."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

HUGE = 1 << 46  # more than any machine gives, and a place in the address space all the same
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.sbrk.restype = LIBC.malloc.restype = LIBC.calloc.restype = ctypes.c_void_p
LIBC.sbrk.argtypes, LIBC.malloc.argtypes, LIBC.memset.argtypes = (
    [ctypes.c_ssize_t], [ctypes.c_size_t], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t],
)  # fmt: skip


def fault() -> None:
    """Read where nothing is mapped."""
    ctypes.string_at(0x1230)


def aborts() -> None:
    """End by abort(3)."""
    os.abort()


def exits() -> None:
    """End by an exit code."""
    os._exit(3)


def raises() -> None:
    """End by an exception that has nothing to do with memory."""
    raise ValueError("no label")


def reads_cut_file() -> None:
    """Read behind the end of a file that was cut short."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x" * 8192)
        file.flush()
        view = mmap.mmap(file.fileno(), 8192)
        os.ftruncate(file.fileno(), 0)
        print(view[4096])


def uses_what_was_refused_long_ago() -> None:
    """Keep a null pointer that an allocation gave, and use it when nobody thinks of the allocation any more."""
    pointer = LIBC.malloc(HUGE)
    time.sleep(0.5)
    LIBC.memset(pointer, 1, 8)


def child_uses_what_was_refused() -> None:
    """The same in a process that is no Python's, of which the parent says nothing."""
    text = (
        "import ctypes; l = ctypes.CDLL(None); l.malloc.restype = ctypes.c_void_p; l.malloc(ctypes.c_size_t(1 << 46))"
    )
    subprocess.run([sys.executable, "-S", "-E", "-c", text], check=True)
    fault()


def moves_the_break_too_far() -> None:
    """A refused brk(2) is answered with no error: only the pointer tells."""
    LIBC.memset(LIBC.sbrk(HUGE), 1, 8)


def fills_its_own_arena() -> None:
    """An allocator with a limit of its own says that it is full, in its own words."""
    print("arena exhausted: 64 of 64 blocks in use", file=sys.stderr, flush=True)
    fault()


def runs_out_of_its_heap() -> None:
    """What a virtual machine says, whose heap has a limit of its own."""
    print("Terminating due to java.lang.OutOfMemoryError: Java heap space", file=sys.stderr, flush=True)
    os._exit(3)


def logs_to_stdout() -> None:
    """A log on stdout that says so."""
    print("worker 3: could not allocate the batch, giving up", flush=True)
    fault()


def asks_python_for_too_much() -> None:
    """A MemoryError without a system call: Python itself says no."""
    bytearray(sys.maxsize - 1)


def hides_it_in_the_chain() -> None:
    """An exception that was raised from another."""
    raise ValueError("no batch") from MemoryError()


def fills_its_addresses() -> None:
    """Nearly all addresses that it may have are taken, when it faults."""
    with open("/proc/self/statm") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + (512 << 20), taken + (512 << 20)))
    held = mmap.mmap(-1, 448 << 20)
    time.sleep(1.5)
    fault()
    held.close()


def is_killed() -> None:
    """A SIGKILL that the program sends itself looks as one from anywhere."""
    os.kill(os.getpid(), signal.SIGKILL)


def bus_error() -> None:
    """A bus error of which no file is known."""
    os.kill(os.getpid(), signal.SIGBUS)


def shell_tells_of_a_kill() -> None:
    """A shell reports the SIGKILL of its child by its own exit code."""
    os._exit(subprocess.run(["sh", "-c", "sh -c 'kill -9 $$'; exit $?"]).returncode)


def sleeps_for_ever() -> None:
    """A standstill of which nobody knows for what."""
    time.sleep(3600)


if __name__ == "__main__":
    print("step 1", flush=True)
    globals()[sys.argv[1]]()
