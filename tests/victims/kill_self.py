"""Sends itself the signal that its argument names."""

import os
import signal
import sys

print("before the signal", flush=True)
os.kill(os.getpid(), signal.Signals[sys.argv[1]])
