"""A deep recursion through native code that ends, but needs more stack than there is.

Usage: deep_recursion.py [thread]
"""

import ctypes
import sys
import threading

import weights  # noqa: F401 - it is held

DEPTH = 60_000
sys.setrecursionlimit(10 * DEPTH)


@ctypes.CFUNCTYPE(None, ctypes.c_int)
def descend(depth: int) -> None:
    """Call oneself through native code until the depth is reached."""
    if depth < DEPTH:
        descend(depth + 1)


print("step 1", flush=True)
if "thread" in sys.argv:
    thread = threading.Thread(target=descend, args=(0,), name="graph")
    thread.start()
    thread.join()
else:
    descend(0)
print("the graph is freed", flush=True)
