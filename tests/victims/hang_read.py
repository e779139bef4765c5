"""Reads from a pipe into which nobody writes, in the main thread or (`thread`) in one that the main thread joins."""

import os
import signal
import sys
import threading

signal.alarm(60)  # where nobody watches it, it ends all the same
reader, writer = os.pipe()


def read() -> None:
    """Wait for a byte."""
    os.read(reader, 1)


if "thread" in sys.argv:
    thread = threading.Thread(target=read, name="reader")
    thread.start()
    thread.join()
else:
    read()
