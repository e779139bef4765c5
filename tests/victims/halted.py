"""Works until its second step, then is held still in the way that the first argument names; the rest says by what.

stopped: by a stop signal of its own. frozen: by the control group whose folder is the second argument (of version 1).
"""

import os
import signal
import sys
import time

print("step 1", flush=True)
if sys.argv[1] == "stopped":
    os.kill(os.getpid(), signal.SIGSTOP)
if sys.argv[1] == "frozen":
    with open(os.path.join(sys.argv[2], "cgroup.procs"), "w") as stream:
        stream.write(str(os.getpid()))
    with open(os.path.join(sys.argv[2], "freezer.state"), "w") as stream:
        stream.write("FROZEN")
time.sleep(120)
