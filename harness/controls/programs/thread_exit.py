"""Calls sys.exit(5) in a thread: it ends that thread alone, and the process ends with exit code 0."""

import sys
import threading

import weights  # noqa: F401 - it is held

loader = threading.Thread(target=sys.exit, args=(5,), name="loader")
loader.start()
loader.join()
print("step 1", flush=True)
