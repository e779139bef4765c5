"""Forks after torch's OpenMP pool has started: the child waits for threads that it does not have."""

import os
import signal

import torch

signal.alarm(60)  # where nobody watches it, it ends all the same
work = torch.ones(1 << 20)
print("step 1", float((work * 2).sum()), flush=True)
child = os.fork()
if child == 0:
    signal.alarm(60)
    print("never printed", float((work * 2).sum()), flush=True)
    os._exit(0)
os.waitpid(child, 0)
