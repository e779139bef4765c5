"""A Siamese model in two calls of one backbone, trained: `tiny_trainer.py STEPS [none|segv|exit] [PAUSE_SECONDS]`.

An epoch has 4 steps. A fault strikes in the second backbone call of step 2.
"""

import ctypes
import sys
import time

import torch
from torch.utils.data import DataLoader, TensorDataset

STEPS, FAULT, PAUSE = (*sys.argv[1:], *("none", "0")[len(sys.argv) - 2 :])


class Backbone(torch.nn.Module):
    """One layer, and the fault."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(6, 4)
        self.calls = 0

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the features, or die."""
        self.calls += 1
        if self.calls == 4 and FAULT == "segv":
            ctypes.string_at(0)
        if self.calls == 4 and FAULT == "exit":
            sys.exit(0)
        return torch.relu(self.linear(image))


class Siamese(torch.nn.Module):
    """Ranks two inputs by the difference of their features."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.head = torch.nn.Linear(4, 1)

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return by how much the first input is better."""
        return self.head(self.backbone(one) - self.backbone(other))


torch.manual_seed(0)
model = Siamese()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loader = DataLoader(TensorDataset(torch.randn(8, 6), torch.randn(8, 6)), batch_size=2, shuffle=True)
done = 0
while done < int(STEPS):
    for one, other in loader:
        loss = model(one, other).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        done += 1
        print(f"step {done}: loss {loss.item().hex()}", flush=True)
        time.sleep(float(PAUSE))
        if done == int(STEPS):
            break
