"""Takes and touches as many MiB as its argument says, 8 at a time, holds them for a moment, and ends well."""

import sys
import time

held = []
for _ in range(int(sys.argv[1]) // 8):
    held.append(b"\1" * (8 << 20))
    time.sleep(0.005)
print("holding", flush=True)
time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
