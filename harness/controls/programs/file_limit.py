"""Writes a checkpoint that outgrows the largest file it may write (RLIMIT_FSIZE)."""

import resource
import sys

import weights  # noqa: F401 - it is held

resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))
print("step 1", flush=True)
with open(sys.argv[1], "wb") as stream:
    for _ in range(16):
        stream.write(b"\1" * (1 << 20))
