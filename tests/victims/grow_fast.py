"""Touches fresh memory at a steady pace until something ends it.

Usage: grow_fast.py MIB_A_SECOND [address-space|data MIB] or [cgroup FOLDER]: it puts a limit on itself first, as a
wrapper would, an rlimit or the control group of that folder.
"""

import os
import resource
import sys
import time
from pathlib import Path

BLOCK = 8 << 20
pace, limit, *what = *sys.argv[1:], "none"


def used_bytes() -> int:
    """Return the address space in use."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


if limit == "cgroup":
    (Path(what[0]) / "cgroup.procs").write_text(str(os.getpid()))
elif limit in ("address-space", "data"):
    kind = resource.RLIMIT_AS if limit == "address-space" else resource.RLIMIT_DATA
    above = used_bytes() if limit == "address-space" else 0
    resource.setrlimit(kind, (above + (int(what[0]) << 20),) * 2)


def grow() -> None:
    """Fill block after block; named, so that a stack can be told by it."""
    blocks = []
    while True:
        blocks.append(b"x" * BLOCK)
        time.sleep(BLOCK / (float(pace) * (1 << 20)))


grow()
