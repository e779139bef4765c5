"""Lifts limits other than memory as far as this process may, before all else is set up; says which were lifted.

Soft resource limits become the hard ones, as for any user (setrlimit(2)). For the administrator besides: the process
leaves its group of version 1's pids hierarchy for the root, which has no limit (version 2 has one tree for threads and
memory, and two limits at once would decide nothing); and it gets a /dev/shm of its own, of half the machine's memory,
in a mount namespace of its own (unshare(2), mount(2), tmpfs(5)). Whoever it starts inherits all of it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from .lines import RecordFolder

LIFTED = (
    "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_MSGQUEUE",
    "RLIMIT_SIGPENDING",
)  # fmt: skip
SHARED = "/dev/shm"
SHARE_OF_MEMORY = 0.5  # what a tmpfs gets that is told no size
CLONE_NEWNS, MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 0x20000, 0x2, 0x4, 0x4000, 0x40000


def apply(folder: RecordFolder) -> None:
    """Lift what can be lifted, and record it: `limits` by name as they were, `threads` and `shared` (whether)."""
    raised = _resource_limits()
    threads = shared = False
    if sys.platform == "linux" and os.geteuid() == 0:
        import ctypes  # here: an interpreter without it can still be observed

        libc = ctypes.CDLL(None, use_errno=True)
        threads, shared = _leave_group(libc), _own_shared_memory(libc, folder.path)
    folder.lines("inside.jsonl").write(event="limits lifted", limits=raised, threads=threads, shared=shared)


def _resource_limits() -> dict:
    """Not RLIMIT_DATA, which is how a memory limit is set here, nor the stack, which another intervention changes."""
    import resource

    held = {name: resource.getrlimit(getattr(resource, name)) for name in LIFTED if hasattr(resource, name)}
    raised = {name: list(limits) for name, limits in held.items() if limits[0] != limits[1]}
    for name, (_, hard) in raised.items():
        resource.setrlimit(getattr(resource, name), (hard, hard))
    return raised


def _leave_group(libc: Any) -> bool:
    """Enter the root of the pids hierarchy; False where there is none, or it is not allowed: nothing is raised then."""
    place = _pids_hierarchy()
    file = libc.open(os.fsencode(os.path.join(place, "cgroup.procs")), os.O_WRONLY | os.O_CLOEXEC) if place else -1
    if file < 0:
        return False
    done = libc.write(file, b"0", 1) == 1  # cgroups(7): "0" stands for the writing process
    os.close(file)
    return bool(done)


def _pids_hierarchy() -> str:
    """Return where it is mounted, where this process is not at its root already; "" else."""
    with open("/proc/self/cgroup", encoding="utf-8") as stream:
        rows = [line.rstrip("\n").split(":", 2) for line in stream]
    bound = any("pids" in row[1].split(",") and row[2] != "/" for row in rows if len(row) == 3)
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        mounts = [line.split() for line in stream]
    found = [row[4] for row in mounts if "cgroup" in row and "pids" in row[-1].split(",")]
    return found[0] if bound and found else ""


def _own_shared_memory(libc: Any, folder: str) -> bool:
    """Mount a larger /dev/shm, seen by this process alone; not where what it needs lies in the one that is there."""
    needed = (folder, os.getcwd(), sys.prefix, sys.argv[0])
    if not os.path.ismount(SHARED) or any(os.path.abspath(path).startswith(SHARED) for path in needed):
        return False
    held = os.statvfs(SHARED)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if held.f_blocks * held.f_frsize >= SHARE_OF_MEMORY * memory * 0.99 or libc.unshare(CLONE_NEWNS) != 0:
        return False
    apart = libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0
    return bool(apart and libc.mount(b"tmpfs", SHARED.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=1777") == 0)
