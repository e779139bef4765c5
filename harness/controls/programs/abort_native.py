"""A check in native code fails, and it calls abort()."""

import ctypes

import weights  # noqa: F401 - it is held

print("step 1", flush=True)
ctypes.CDLL(None).abort()
