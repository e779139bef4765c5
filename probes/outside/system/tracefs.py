"""Where the kernel's tracing can be reached, and what stands in the way.

Sources: the kernel's Documentation/trace/ftrace.rst ("Instances"); fsopen(2), fsmount(2): a mount that is attached
nowhere is seen by this process alone, so nothing of the machine is changed where tracefs is not mounted; pid_namespaces
(7): the kernel's rows carry the numbers of the first process namespace.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path

from probes.outside.system import quiet

PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
FSOPEN, FSCONFIG, FSMOUNT = 430, 431, 432  # the same numbers on every architecture
CLOEXEC, CMD_CREATE = 1, 6
CAP_SYS_ADMIN = 21
FIRST_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO, include/linux/proc_ns.h
MACHINES = ("x86_64", "aarch64")
PERMIT = (  # the kernel gives the files of a new instance to the owner of `instances`; a remount with gid= does not do
    "sudo sh -c 'mountpoint -q {place} || mount -t tracefs tracefs {place}; chmod 755 {place}; "
    "chown {user} {place}/instances'"
)
PERMIT_CONTAINER = "start the container with --cap-add SYS_ADMIN or --privileged"


@functools.cache
def root() -> Path | None:
    """Return the folder of tracefs in which this process may make instances; None where there is none."""
    usable = (Path(place) for place in PLACES if _is_usable(Path(place)))
    found = next(usable, None)
    return found if found is not None or not _may_mount() else _detached()


def missing(*events: str) -> str | None:
    """Return why these tracepoints (`system/name`) cannot be used here, with the command that would permit it."""
    if sys.platform != "linux":
        return "the kernel's tracepoints are Linux only"
    if os.uname().machine not in MACHINES:
        return f"the system calls of {os.uname().machine} are not known here"
    namespace = quiet.link_target("/proc/self/ns/pid")
    if namespace != FIRST_NAMESPACE:
        return (
            "a container with process numbers of its own: the kernel's rows tell others; run on the host, or --pid=host"
        )
    folder = root()
    if folder is None:
        permit = PERMIT.format(place=PLACES[0], user=os.geteuid()) if os.geteuid() else PERMIT_CONTAINER
        return f"the kernel's tracing may not be used by user {os.geteuid()}; to permit it: {permit}"
    absent = [event for event in events if not os.path.isdir(folder / "events" / event)]
    return f"this kernel has no tracepoint {', '.join(absent)}" if absent else None


def _is_usable(place: Path) -> bool:
    return os.path.isdir(place / "instances") and os.access(place / "instances", os.W_OK | os.X_OK)


def _may_mount() -> bool:
    """Whether this process has CAP_SYS_ADMIN (proc_pid_status(5): CapEff)."""
    rows = (line.split() for line in quiet.read_text("/proc/self/status").splitlines())
    return any(row[0] == "CapEff:" and int(row[1], 16) >> CAP_SYS_ADMIN & 1 for row in rows if len(row) == 2)


def _detached() -> Path | None:
    """Return a mount of tracefs of our own, which is gone when this process is."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    context = int(call(FSOPEN, b"tracefs", CLOEXEC))
    if context < 0:
        return None
    made = call(FSCONFIG, context, CMD_CREATE, None, None, 0) == 0
    mount = int(call(FSMOUNT, context, CLOEXEC, 0)) if made else -1
    os.close(context)
    place = Path(f"/proc/self/fd/{mount}")
    return place if mount >= 0 and _is_usable(place) else None
