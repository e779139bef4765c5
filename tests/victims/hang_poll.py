"""Asks again and again for a file that never comes, and sleeps in between."""

import os
import signal
import sys
import time

signal.alarm(60)  # where nobody watches it, it ends all the same
while not os.path.exists(sys.argv[1]):
    time.sleep(0.4)
