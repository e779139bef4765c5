"""Puts this process under the memory limit that the spec file names, before all else is set up."""

from __future__ import annotations

import os

from .lines import RecordFolder


def apply(confine: dict, folder: RecordFolder) -> None:
    """Enter the control group (cgroups(7): "0" stands for the writing process) or set the resource limits; say so."""
    applied = enter(confine["cgroup_procs"]) if confine["cgroup_procs"] else limit(confine["rlimits"] or {})
    folder.lines("inside.jsonl").write(event="confined", kind=confine["kind"], applied=applied)


def enter(procs: str) -> bool:
    """Enter the group; return whether the kernel says that this process is in it."""
    if not os.access(procs, os.W_OK):
        return False
    with open(procs, "w", encoding="ascii") as stream:
        stream.write("0")
    with open(procs, encoding="ascii") as stream:
        return str(os.getpid()) in stream.read().split()


def limit(limits: dict) -> bool:
    """Set the soft limits, below the hard ones that hold already; return whether they hold."""
    import resource

    for name, wanted in limits.items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(number, (soft, hard))
    return all(0 <= resource.getrlimit(getattr(resource, name))[0] <= wanted for name, wanted in limits.items())
