"""Native code calls C exit(), _exit() or quick_exit(): on the main thread, or on a thread that Python does not know."""

import ctypes
import sys
import time

call, code, where = sys.argv[1], int(sys.argv[2]), sys.argv[3]
libc = ctypes.CDLL(None)


def leave() -> None:
    """End the process from native code."""
    print("before the exit", flush=True)
    libc[call](code)


def leave_by_thread() -> None:
    """End the process from a thread that pthread_create starts in the C function itself."""
    function, thread = ctypes.cast(libc[call], ctypes.c_void_p), ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, function, ctypes.c_void_p(code))
    time.sleep(30.0)


leave() if where == "main" else leave_by_thread()
