"""A thread ends by an exception before it has set the event that the main thread waits for."""

import signal
import threading

signal.alarm(60)  # where nobody watches it, it ends all the same
ready = threading.Event()


def prepare() -> None:
    """Read what is not there, then tell that all is ready."""
    {}["labels"]
    ready.set()


threading.Thread(target=prepare, name="preparer").start()
ready.wait()
