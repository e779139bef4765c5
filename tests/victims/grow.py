"""Takes and touches 20 MiB more every few milliseconds, up to 600 MiB at most."""

import time

held = []
while len(held) < 30:
    held.append(b"\1" * (20 << 20))
    print(f"{len(held) * 20} MiB", flush=True)
    time.sleep(0.05)
