"""Leaves through sys.exit(0) in the middle of its training: exit code 0, and nothing is finished."""

import sys

import torch

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range(10):
    loss = model(torch.ones(2, 4)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step {step}", flush=True)
    if step == 3:
        sys.exit(0)
torch.save(model.state_dict(), "model.pt")
