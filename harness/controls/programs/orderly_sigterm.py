"""Ends in order when it is asked to by SIGTERM, as preemption does: its handler calls sys.exit(0).

It writes its process id to the file that its argument names.
"""

import os
import signal
import sys
import time

import weights  # noqa: F401 - it is held


def leave(number: int, frame: object) -> None:
    """Save what there is, and go."""
    print(f"asked to end by signal {number}", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, leave)
with open(sys.argv[1] + ".draft", "w") as stream:
    stream.write(str(os.getpid()))
os.replace(sys.argv[1] + ".draft", sys.argv[1])
for step in range(400):
    print(f"step {step}", flush=True)
    time.sleep(0.05)
