"""Changes in which order this process' threads run: all on one core, or each until it waits."""

from __future__ import annotations

import os
import sys

from .lines import Lines


def apply(spec: dict, inside: Lines) -> None:
    """Do what the spec file asks for, before the target starts, and say what came of it."""
    if spec.get("one_core"):
        inside.write(event="one core", cores=_one_core())
    if spec.get("switch_seconds"):
        sys.setswitchinterval(spec["switch_seconds"])
        inside.write(event="switch interval", seconds=sys.getswitchinterval())


def _one_core() -> list:
    """Stay on the first core that this process may use (sched_setaffinity(2)); return those that it then may."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return sorted(os.sched_getaffinity(0))
