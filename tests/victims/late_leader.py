"""Is large, and has a descendant in a session of its own, as torchrun makes its ranks: a leader takes time to die.

The descendant's process id goes to the file that the argument names.
"""

import os
import sys
import time

block = bytearray(b"x") * (600 << 20)
if os.fork() == 0:
    block = None
    os.setsid()
    with open(sys.argv[1] + ".draft", "w") as stream:
        stream.write(str(os.getpid()))
    os.replace(sys.argv[1] + ".draft", sys.argv[1])
    time.sleep(120)
    os._exit(0)
time.sleep(120)
