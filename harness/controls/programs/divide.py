"""Native code divides the smallest integer by -1: the processor traps (x86)."""

import ctypes

import weights  # noqa: F401 - it is held

print("step 1", flush=True)
ctypes.CDLL(None).div(ctypes.c_int(-(2**31)), ctypes.c_int(-1))
