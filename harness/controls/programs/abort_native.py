"""A check in native code fails, and it calls abort()."""

import ctypes

print("step 1", flush=True)
ctypes.CDLL(None).abort()
