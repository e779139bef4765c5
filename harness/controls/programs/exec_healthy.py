"""Starts itself anew once, as programs do that set an environment variable for their libraries, and does its work."""

import os
import sys

if os.environ.get("MALLOC_ARENA_MAX") != "2":
    os.environ["MALLOC_ARENA_MAX"] = "2"
    os.execv(sys.executable, [sys.executable, *sys.argv])
for step in range(5):
    print(f"step {step}", flush=True)
