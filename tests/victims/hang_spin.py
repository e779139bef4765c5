"""Waits for a flag that nobody sets, without a pause: CPU time, and no progress."""

import signal

signal.alarm(60)  # where nobody watches it, it ends all the same
asked = 0
ready = False
while not ready:
    asked += 1
