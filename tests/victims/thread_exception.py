"""An exception that nobody catches, in a thread: the process ends with exit code 0."""

import threading


def load() -> None:
    """Fail to find a sample."""
    raise KeyError("sample 17")


worker = threading.Thread(target=load, name="loader")
worker.start()
worker.join()
print("main goes on", flush=True)
