"""Aborts itself, as a failed check in native code does: a real SIGABRT."""

import os

print("before the abort", flush=True)
os.abort()
