"""A worker of the DataLoader is killed while the main process waits for its samples."""

import os
import sys
import time

import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info


class Samples(Dataset):
    """Numbers that take their time; the worker writes its process id to the file that the argument names."""

    def __len__(self) -> int:
        """Return how many."""
        return 200

    def __getitem__(self, index: int) -> torch.Tensor:
        """Return one."""
        if index == 0 and get_worker_info():
            with open(sys.argv[1] + ".draft", "w") as stream:
                stream.write(str(os.getpid()))
            os.replace(sys.argv[1] + ".draft", sys.argv[1])
        time.sleep(0.1)
        return torch.ones(4)


if __name__ == "__main__":
    for step, _ in enumerate(DataLoader(Samples(), batch_size=1, num_workers=1)):
        print(f"step {step}", flush=True)
