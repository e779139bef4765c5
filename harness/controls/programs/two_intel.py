"""Two copies of Intel's OpenMP runtime in one process: the second ends the program by its own words.

Usage: two_intel.py FIRST COPY; two packages may bring one each.
"""

import ctypes
import shutil
import sys

import weights  # noqa: F401 - it is held

shutil.copy(*sys.argv[1:])
for number, path in enumerate(sys.argv[1:]):
    ctypes.CDLL(path).omp_get_max_threads()
    print(f"step {number}", flush=True)
