"""An exception that nobody catches, in a thread: the process ends with exit code 0."""

import threading

import weights  # noqa: F401 - it is held


def load() -> None:
    """Fail to find a sample."""
    raise KeyError("sample 17")


loader = threading.Thread(target=load, name="loader")
loader.start()
loader.join()
print("step 1", flush=True)
