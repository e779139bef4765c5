"""Saves a scripted model to a device that is full: the C++ exception leaves a destructor, and std::terminate aborts."""

import torch

print("step 1", flush=True)
torch.jit.save(torch.jit.script(torch.nn.Linear(64, 64)), "/dev/full")
