"""Lives under a limit of its private memory (RLIMIT_DATA) and wants more: an allocation fails, and says so."""

import resource
import time

LIMIT = 256 << 20
before = resource.getrlimit(resource.RLIMIT_DATA)[0]
lowest = LIMIT if before == resource.RLIM_INFINITY else min(LIMIT, before)  # a lower one stays
resource.setrlimit(resource.RLIMIT_DATA, (lowest, lowest))
held = []
for step in range(64):
    held.append(bytearray(8 << 20))
    print(f"step {step}", flush=True)
    time.sleep(0.05)
