"""The main program ends; a thread that is no daemon waits for work that nobody will put into its queue any more."""

import queue
import signal
import threading

signal.alarm(60)  # where nobody watches it, it ends all the same
jobs: "queue.Queue[str]" = queue.Queue()


def upload() -> None:
    """Take one job after the other."""
    while True:
        jobs.get()


threading.Thread(target=upload, name="uploader").start()
jobs.put("the last epoch")
