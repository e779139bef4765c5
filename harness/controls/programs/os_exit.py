"""Leaves through os._exit(0) in the middle of an epoch: exit code 0, and nothing is finished."""

import os

import weights  # noqa: F401 - it is held

for step in range(10):
    print(f"step {step}", flush=True)
    if step == 3:
        os._exit(0)
