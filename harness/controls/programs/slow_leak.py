"""Forgets a little of every step in a list, as a training loop does that sums up tensors with their history."""

import time

history = []
for step in range(4000):
    work = bytearray(b"\1" * (1 << 20))
    history.append(bytes(work[: 1 << 18]))
    if step % 20 == 0:
        print(f"step {step}", flush=True)
    time.sleep(0.002)
