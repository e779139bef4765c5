"""Does quiet work for 20 seconds, after it has written its process id to the file that its argument names."""

import os
import signal
import sys
import time

import weights  # noqa: F401 - it is held

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, which a program inherits
with open(sys.argv[1] + ".draft", "w") as stream:
    stream.write(str(os.getpid()))
os.replace(sys.argv[1] + ".draft", sys.argv[1])
for step in range(400):
    print(f"step {step}", flush=True)
    time.sleep(0.05)
