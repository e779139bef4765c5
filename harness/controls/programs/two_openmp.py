"""Two OpenMP runtimes in one process, each with a pool of its own, where there is room for the threads of one.

Usage: two_openmp.py COPY; the second runtime is a copy of the first, as two packages may bring one each.
"""

import ctypes
import importlib.util
import os
import shutil
import sys
from pathlib import Path

import few_threads
import weights  # noqa: F401 - it is held

torch = importlib.util.find_spec("torch")
first = Path(torch.origin).parent / "lib" / "libgomp.so.1"
shutil.copy(first, sys.argv[1])
few_threads.allow(int(os.environ["OMP_NUM_THREADS"]) - 1)
work = ctypes.cast(ctypes.CDLL(None).abs, ctypes.c_void_p)
for number, path in enumerate((first, sys.argv[1])):
    ctypes.CDLL(str(path)).GOMP_parallel(work, None, 0, 0)
    print(f"step {number}", flush=True)
