"""Touches more and more memory without asking how much there is; under a control group's limit the kernel kills it."""

import time

held = []
for step in range(64):
    held.append(b"\1" * (8 << 20))
    print(f"step {step}", flush=True)
    time.sleep(0.02)
