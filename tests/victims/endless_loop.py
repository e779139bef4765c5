"""Busy for ever and silent. Writes its process id to the file that its argument names."""

import os
import signal
import sys

signal.alarm(120)  # where nobody watches it, it ends all the same
if len(sys.argv) > 1:
    with open(sys.argv[1] + ".draft", "w") as stream:
        stream.write(str(os.getpid()))
    os.replace(sys.argv[1] + ".draft", sys.argv[1])
while True:
    pass
