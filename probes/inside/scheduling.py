"""Changes in which order this process' threads run: one after the other on one core, or each until it waits.

On one core, two threads still take turns in the middle of what they do, after each time slice. Where the scheduler may
be told (CAP_SYS_NICE), it is told to let each run until it waits or ends (SCHED_FIFO, all at the lowest priority):
native code that has released the interpreter's lock is then never interrupted by another thread of the program.
"""

from __future__ import annotations

import os
import sys

from .lines import Lines

CAP_SYS_NICE = 23
EFFECTIVE = "CapEff:"


def apply(spec: dict, inside: Lines) -> None:
    """Do what the spec file asks for, before the target starts, and say what came of it."""
    if spec.get("one_core"):
        in_turn = _in_turn()
        inside.write(event="one core", cores=_one_core(), in_turn=in_turn)
    if spec.get("switch_seconds"):
        sys.setswitchinterval(spec["switch_seconds"])
        inside.write(event="switch interval", seconds=sys.getswitchinterval())


def _one_core() -> list:
    """Stay on the first core that this process may use (sched_setaffinity(2)); return those that it then may."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return sorted(os.sched_getaffinity(0))


def _in_turn() -> bool:
    """Have each thread run until it waits (sched_setscheduler(2), inherited); not where others need that core, too."""
    if not hasattr(os, "sched_setscheduler") or len(os.sched_getaffinity(0)) < 2 or not _may_be_told():
        return False
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return os.sched_getscheduler(0) == os.SCHED_FIFO


def _may_be_told() -> bool:
    """Whether this process has the capability that allows it (capabilities(7), proc_pid_status(5))."""
    if not os.path.exists("/proc/self/status"):
        return False
    with open("/proc/self/status", encoding="utf-8") as stream:
        held = [line.split()[1] for line in stream if line.startswith(EFFECTIVE)]
    return any(int(text, 16) >> CAP_SYS_NICE & 1 for text in held)
