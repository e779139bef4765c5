"""Stands still until a time limit of its own ends it: `watchdog.py faulthandler|loader`."""

import faulthandler
import signal
import sys
import threading
import time

signal.alarm(60)  # where nobody watches it, it ends all the same


def wait() -> None:
    """Wait for ever."""
    threading.Event().wait()


if sys.argv[1] == "faulthandler":
    faulthandler.dump_traceback_later(1.5, exit=True)
    wait()
else:
    from torch.utils.data import DataLoader, Dataset

    class Samples(Dataset):
        """One, which takes too long."""

        def __len__(self) -> int:
            """Return how many."""
            return 1

        def __getitem__(self, index: int) -> int:
            """Return it, much later."""
            time.sleep(50)
            return index

    for _ in DataLoader(Samples(), num_workers=1, timeout=1.5):
        pass
