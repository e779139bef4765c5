"""Leaves a grandchild behind: in a session of its own, deaf to SIGTERM and SIGHUP, asleep.

The grandchild's process id goes to the file that the argument names.
"""

import os
import signal
import sys
import time

if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with open(sys.argv[1] + ".draft", "w") as stream:
        stream.write(str(os.getpid()))
    os.replace(sys.argv[1] + ".draft", sys.argv[1])
    time.sleep(120)
    os._exit(0)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
print("parent leaves", flush=True)
