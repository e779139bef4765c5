"""Reads the address 0: a real SIGSEGV of the main thread."""

import ctypes


def read_nothing() -> bytes:
    """Read where nothing is mapped."""
    return ctypes.string_at(0)


print("before the fault", flush=True)
read_nothing()
