"""A fork while another thread holds a lock: the child has the lock, but not the thread that would give it back."""

import os
import signal
import threading
import warnings

warnings.simplefilter("ignore")
signal.alarm(60)  # where nobody watches it, it ends all the same
lock, held = threading.Lock(), threading.Event()


def hold() -> None:
    """Keep the lock until the process ends."""
    with lock:
        held.set()
        signal.pause()


threading.Thread(target=hold, daemon=True, name="holder").start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(60)
    lock.acquire()
os.waitpid(child, 0)
