"""Opens its samples and never closes them, until it may open no more (RLIMIT_NOFILE)."""

import resource
import time

import weights  # noqa: F401 - it is held

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
samples = []
for step in range(256):
    samples.append(open(__file__))  # noqa: SIM115 - that is the fault
    print(f"step {step}", flush=True)
    time.sleep(0.01)
