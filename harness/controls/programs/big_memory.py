"""Takes a good deal of memory, works on it, and ends well."""

import time

held = [b"\1" * (8 << 20) for _ in range(64)]
for step in range(10):
    print(f"step {step}", len(held), flush=True)
    time.sleep(0.05)
