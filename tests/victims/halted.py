"""Is held still in the way that the first argument names.

stopped: by a stop signal of its own. frozen: by the control group whose folder is the second argument (of version 1).
frozen_child: a child of it is, whose number it prints, and it ends well.
"""

import os
import signal
import sys
import time

print("step 1", flush=True)
if sys.argv[1] == "stopped":
    os.kill(os.getpid(), signal.SIGSTOP)
if sys.argv[1] == "frozen_child":
    child = os.fork()
    if child:
        print(child, flush=True)
        while "FROZEN" not in open(os.path.join(sys.argv[2], "freezer.state")).read():  # noqa: SIM115
            time.sleep(0.01)
        sys.exit(0)
if sys.argv[1].startswith("frozen"):
    with open(os.path.join(sys.argv[2], "cgroup.procs"), "w") as stream:
        stream.write(str(os.getpid()))
    with open(os.path.join(sys.argv[2], "freezer.state"), "w") as stream:
        stream.write("FROZEN")
time.sleep(120)
