"""Says nothing for a while, as a program does that reads its data first, and then does its work."""

import time

time.sleep(4.0)
for step in range(5):
    print(f"step {step}", flush=True)
