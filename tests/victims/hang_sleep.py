"""Sleeps for much longer than anybody waits; `native` holds the GIL meanwhile."""

import ctypes
import signal
import sys
import time

signal.alarm(60)  # where nobody watches it, it ends all the same
if "native" in sys.argv:
    ctypes.PyDLL(None).sleep(100)
time.sleep(100)
