"""Trains a few quick steps and then stands still in a forward: `hang_training.py STEPS [worker]`.

With `worker`, it is a worker of the DataLoader that stands still, and the main process waits for it.
"""

import signal
import sys
import threading
import time

import torch
from torch.utils.data import DataLoader, Dataset

signal.alarm(90)  # where nobody watches it, it ends all the same
STEPS, WORKER = int(sys.argv[1]), "worker" in sys.argv
lock = threading.Lock()
lock.acquire()


class Samples(Dataset):
    """Numbers; the one after the last step is never given by a worker."""

    def __len__(self) -> int:
        """Return how many."""
        return 1000

    def __getitem__(self, index: int) -> torch.Tensor:
        """Return one, or wait for ever."""
        if WORKER and index == STEPS:
            lock.acquire()
        return torch.ones(4)


class Model(torch.nn.Module):
    """One layer, and the lock."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 1)
        self.calls = 0

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the features, or wait for ever."""
        self.calls += 1
        if self.calls > STEPS:
            lock.acquire()
        return self.linear(batch)


if __name__ == "__main__":
    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for batch in DataLoader(Samples(), batch_size=1, num_workers=1 if WORKER else 0):
        optimizer.zero_grad()
        model(batch).mean().backward()
        optimizer.step()
        time.sleep(0.05)
