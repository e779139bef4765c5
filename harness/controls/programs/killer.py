"""Stands outside: waits for the file with a process id, and sends that process a signal: `killer.py FILE SIGNAL`."""

import os
import signal
import sys
import time

deadline = time.monotonic() + 30.0
while not os.path.exists(sys.argv[1]) and time.monotonic() < deadline:
    time.sleep(0.01)
time.sleep(0.3)
with open(sys.argv[1]) as stream:
    os.kill(int(stream.read()), signal.Signals[sys.argv[2]])
