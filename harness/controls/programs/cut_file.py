"""Reads a memory-mapped data set whose file was cut short by somebody: the page behind its end is not there."""

import mmap
import sys

import weights  # noqa: F401 - it is held

with open(sys.argv[1], "w+b") as stream:
    stream.truncate(8192)
    samples = mmap.mmap(stream.fileno(), 8192)
    stream.truncate(4096)
print("step 1", samples[0], flush=True)
print("step 2", samples[4096], flush=True)
