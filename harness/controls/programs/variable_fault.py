"""Reads through a null pointer where a variable has a certain value: no second thread is ever at work."""

import ctypes
import os

import torch

torch.nn.Linear(4, 4)(torch.zeros(2, 4))
print("step 1", flush=True)
if os.environ["OMP_NUM_THREADS"] == "2":
    ctypes.string_at(0)
