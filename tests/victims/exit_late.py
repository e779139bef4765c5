"""Does all its work, then dies while the interpreter finalizes."""

import atexit
import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable


class Late:
    """Lives as long as the interpreter, and does something on its way out."""

    def __init__(self, last: Callable[[int], object]) -> None:
        self.last = last

    def __del__(self) -> None:
        """Die: the modules are torn down after all exit handlers have run."""
        self.last(6)


def crash_soon() -> None:
    """Die on a daemon thread while the interpreter waits in its own exit handler."""
    time.sleep(0.2)
    ctypes.string_at(0)


def fail() -> None:
    """Raise in an exit handler."""
    raise ValueError("too late")


if sys.argv[1] in ("segv", "_exit"):
    keep = Late(os._exit if sys.argv[1] == "_exit" else ctypes.string_at)
elif sys.argv[1] == "raise":
    atexit.register(fail)
elif sys.argv[1] == "daemon":
    threading.Thread(target=crash_soon, daemon=True).start()
    atexit.register(time.sleep, 5.0)
print("all work done", flush=True)
