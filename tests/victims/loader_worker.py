"""Trains on samples of a DataLoader's worker, which ends at the ninth: `loader_worker.py fork|spawn kill|segv|none`."""

import ctypes
import os
import signal
import sys

import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info


class Samples(Dataset):
    """Numbers; the worker dies of the one that the command line asks for."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def __len__(self) -> int:
        """Return how many."""
        return 16

    def __getitem__(self, index: int) -> torch.Tensor:
        """Return one, or die."""
        if index == 8 and get_worker_info() and self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 8 and get_worker_info() and self.fault == "segv":
            ctypes.string_at(0)
        return torch.full((4,), float(index))


if __name__ == "__main__":
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    loader = DataLoader(Samples(sys.argv[2]), batch_size=2, num_workers=1, multiprocessing_context=sys.argv[1])
    for batch in loader:
        optimizer.zero_grad()
        model(batch).mean().backward()
        optimizer.step()
