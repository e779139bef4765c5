"""Two ranks that train together: `torchrun --nproc-per-node 2 ranks.py STEPS [none|kill|segv|raise|exit]`.

The fault strikes in rank 1, within the fourth step's forward.
"""

import ctypes
import os
import signal
import sys
import time

import torch
from torch.nn.parallel import DistributedDataParallel

STEPS, FAULT = int(sys.argv[1]), sys.argv[2]
torch.distributed.init_process_group("gloo")
RANK = torch.distributed.get_rank()


class Siamese(torch.nn.Module):
    """One backbone for both inputs, and the fault."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = torch.nn.Linear(6, 4)
        self.head = torch.nn.Linear(4, 1)
        self.forwards = 0

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return by how much the first input is better."""
        self.forwards += 1
        difference = self.backbone(one) - self.backbone(other)
        if self.forwards == 4 and RANK == 1:
            strike()
        return self.head(difference)


def strike() -> None:
    """Die, in the way that was asked for."""
    if FAULT == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if FAULT == "segv":
        ctypes.string_at(0)
    if FAULT == "raise":
        raise ValueError("a sample is bad")
    if FAULT == "exit":
        os._exit(0)


torch.manual_seed(RANK)
model = DistributedDataParallel(Siamese())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(STEPS):
    loss = model(torch.randn(2, 6), torch.randn(2, 6)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"rank {RANK} step {step + 1}", flush=True)
    time.sleep(0.02)
torch.distributed.destroy_process_group()
