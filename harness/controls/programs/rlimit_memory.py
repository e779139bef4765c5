"""Lives under a limit of its private memory (RLIMIT_DATA) and wants more: an allocation fails, and says so."""

import resource
import time

resource.setrlimit(resource.RLIMIT_DATA, (256 << 20, 256 << 20))
held = []
for step in range(64):
    held.append(bytearray(8 << 20))
    print(f"step {step}", flush=True)
    time.sleep(0.05)
