"""Waits for a file's lock whose holder, a child of its own or (`stranger PID_FILE`) nobody of its own, is stopped."""

import fcntl
import os
import signal
import sys
import time

signal.alarm(60)  # where nobody watches it, it ends all the same
path = sys.argv[1]
if "stranger" not in sys.argv and os.fork() == 0:
    signal.alarm(60)
    with open(path, "w") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        print("held", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(0.5)
with open(path, "w") as wanted:
    fcntl.flock(wanted, fcntl.LOCK_EX)
