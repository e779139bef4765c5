"""Sends itself, its group or its child a signal, in the way that its argument names."""

import os
import pickle
import signal
import subprocess
import sys
import threading


def kill_child() -> None:
    """Kill a child, and live."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"]) as child:
        os.kill(child.pid, 0)
        os.kill(child.pid, signal.SIGKILL)
        print(child.pid, child.wait(), flush=True)


def fork_killer() -> None:
    """Be killed by one's own child."""
    if os.fork() == 0:
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(0)
    signal.pause()


WAYS = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "kill_group": lambda: os.kill(0, signal.SIGKILL),
    "killpg": lambda: os.killpg(os.getpgrp(), signal.SIGKILL),
    "raise_signal": lambda: signal.raise_signal(signal.SIGTERM),
    "pthread_kill": lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM),
    "abort": os.abort,
    "child": kill_child,
    "parent": fork_killer,
    "pickle": lambda: print([pickle.loads(pickle.dumps(one)) is one for one in (os._exit, os.abort, os.kill)]),
}
WAYS[sys.argv[1]]()
