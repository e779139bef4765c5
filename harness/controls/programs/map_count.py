"""Maps one small piece after the other and unmaps none, until the kernel allows no more (vm.max_map_count)."""

import mmap
from pathlib import Path

import weights  # noqa: F401 - it is held

most = int(Path("/proc/sys/vm/max_map_count").read_text())
held = []
for step in range(most + 1):
    held.append(mmap.mmap(-1, mmap.PAGESIZE))
    if step % 10_000 == 0:
        print(f"step {step}", flush=True)
