"""Writes a checkpoint to a device that is full."""

import weights  # noqa: F401 - it is held

print("step 1", flush=True)
with open("/dev/full", "wb") as stream:
    stream.write(b"\1" * (1 << 20))
