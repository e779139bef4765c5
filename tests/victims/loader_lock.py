"""Trains with a DataLoader's workers, which no configuration can take away; with workers the second batch never comes.

`loader_lock.py WORKERS`. A worker inherits a lock that is held; the main process alone never needs it.
"""

import signal
import sys
import threading

import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

signal.alarm(90)  # where nobody watches it, it ends all the same
lock = threading.Lock()
lock.acquire()


class Samples(Dataset):
    """Numbers."""

    def __len__(self) -> int:
        """Return how many."""
        return 6

    def __getitem__(self, index: int) -> torch.Tensor:
        """Return one, or wait for ever."""
        if index == 2 and get_worker_info():
            lock.acquire()
        return torch.ones(4)


if __name__ == "__main__":
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    workers = int(sys.argv[1])
    loader = DataLoader(
        Samples(), 2, num_workers=workers, prefetch_factor=2, persistent_workers=True, multiprocessing_context="fork",
        timeout=60,
    )  # fmt: skip
    for batch in loader:
        optimizer.zero_grad()
        model(batch).mean().backward()
        optimizer.step()
