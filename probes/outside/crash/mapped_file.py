"""Which mapped file an address lies in, and whether the file goes so far: a bus error past its end is the file's.

Sources: mmap(2), "SIGBUS: attempted access to a page of the buffer that lies beyond the end of the mapped file";
tmpfs, whose pages are made when they are touched, answers a full file system in the same way; proc_pid_maps(5).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \S+ +(/.*)$", re.MULTILINE)
DELETED = " (deleted)"


def under(maps: str, address: int | None, root: str = "/") -> dict[str, Any] | None:
    """Return path, offset of the address in the file, the file's size and its file system's free bytes; None: no file.

    `size_bytes` and `free_bytes` are None where the file can be reached by no name any more. `root`: where the paths of
    the process begin, as it may have mounts of its own (proc_pid_root(5)).
    """
    rows = ((int(low, 16), int(high, 16), int(start, 16), path) for low, high, start, path in MAPPING.findall(maps))
    found = next((row for row in rows if address is not None and row[0] <= address < row[1]), None)
    if found is None or address is None:
        return None
    low, _, start, path = found
    size, free = (None, None) if path.endswith(DELETED) else _sizes(Path(root) / path.lstrip("/"))
    return {"path": path, "offset_bytes": start + address - low, "size_bytes": size, "free_bytes": free}


def root_of(pid: int) -> str:
    """Return where the paths of a process begin, as seen from here; "/" where that cannot be seen any more."""
    own = f"/proc/{pid}/root"
    return own if os.path.exists(f"{own}/") else "/"


def _sizes(path: Path) -> tuple[int | None, int | None]:
    if not path.exists():
        return None, None
    system = os.statvfs(path) if hasattr(os, "statvfs") else None
    return path.stat().st_size, system.f_bavail * system.f_frsize if system else None
