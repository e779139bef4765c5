"""Native code reads where nothing is mapped, on the main thread."""

import ctypes

import weights  # noqa: F401 - it is held

print("step 1", flush=True)
ctypes.string_at(0x1230)
