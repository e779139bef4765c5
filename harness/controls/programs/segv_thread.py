"""Native code reads where nothing is mapped, on a thread of Python's."""

import ctypes
import threading

import weights  # noqa: F401 - it is held

print("step 1", flush=True)
thread = threading.Thread(target=ctypes.string_at, args=(0x1230,), name="loader")
thread.start()
thread.join()
