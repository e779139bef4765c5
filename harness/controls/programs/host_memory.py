"""Small itself, but a neighbour has taken nearly all there is: the kernel chooses this process as its victim."""

import os
import signal
import time
from pathlib import Path

ready, tell = os.pipe()
if os.fork() == 0:
    signal.alarm(60)
    neighbour = b"\1" * (176 << 20)
    os.write(tell, b"1")
    signal.pause()
os.close(tell)
if not os.read(ready, 1):
    raise ChildProcessError("the neighbour did not live")
Path("/proc/self/oom_score_adj").write_text("1000")
held = []
for step in range(64):
    held.append(b"\1" * (2 << 20))
    print(f"step {step}", flush=True)
    time.sleep(0.02)
os.kill(0, signal.SIGTERM)
