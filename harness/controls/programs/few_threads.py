"""Leaves this process room for a few more threads, as a user's limit does (RLIMIT_NPROC); imported by planted faults.

The administrator is not bound by that limit: as such, the process first gives away its real user id and the two
capabilities that lift the limit (setresuid(2), capset(2)).
"""

import ctypes
import os
import resource

VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
LIFTING = 1 << 21 | 1 << 24  # CAP_SYS_ADMIN, CAP_SYS_RESOURCE
UNUSED = 1 << 20  # above it, no user is


def allow(more: int) -> None:
    """Let this process start so many more threads, and none after them."""
    if os.geteuid() == 0:
        _become_bound()
    own = len(os.listdir("/proc/self/task"))  # what else the user runs counts, too, and comes and goes
    resource.setrlimit(resource.RLIMIT_NPROC, (own + more,) * 2)


def _become_bound() -> None:
    libc, header, sets = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(VERSION, 0), (ctypes.c_uint32 * 6)()
    os.setresuid(UNUSED + os.getpid(), 0, 0)
    libc.capget(header, sets)
    for index in (0, 1):  # effective, permitted
        sets[index] &= ~LIFTING
    libc.capset(header, sets)
