"""Runs one trial under a memory limit: in a control group of its own where that is permitted, else by a resource limit.

Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst ("Delegation", "No Internal Process Constraint") and
cgroup-v1/memory.rst; getrlimit(2): since Linux 4.7 RLIMIT_DATA counts all private writable memory, before it the heap
alone. The group is made below one that holds this process, so no limit above it is escaped, and it is removed again;
a group that is not empty is left alone, as is every group that was not made here.
"""

from __future__ import annotations

import itertools
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.model import Gap
from probes import records
from probes.outside.memory.control_group_limits import ROOT, counting_group
from probes.outside.memory.control_group_use import use_of, words_of
from probes.outside.probe import run_tool

V2, V1 = "cgroup v2", "cgroup v1"
REMOVAL_SECONDS = 3.0
PAGE = 4096
SELF = Path("/proc/self/cgroup")
_numbers = itertools.count(1)


class Confinement:
    """One trial's limit. Enter before spec.json is written, leave after the child has been reaped; None: no limit.

    `kind` is "cgroup v2", "cgroup v1", "RLIMIT_DATA", "RLIMIT_AS", or None where this system cannot limit a process.
    """

    def __init__(
        self, limit_bytes: int | None, folder: Path, means: str | None = None,
        membership: Path = SELF, root: Path = ROOT,
    ) -> None:  # fmt: skip
        """Take the limit, the trial's folder (for confine.json), and where the control groups are.

        `means`: None for the best there is, or the resource limit that `rlimit` names.
        """
        self.limit_bytes = limit_bytes
        self.kind: str | None = None
        self.group: Path | None = None
        self._folder = folder
        self._parents = [] if means and means.startswith("RLIMIT") else parents(membership, root)

    def __enter__(self) -> Confinement:
        """Make the group where that is permitted."""
        if self.limit_bytes is None:
            return self
        made = ((kind, _make(kind, parent, self.limit_bytes)) for kind, parent in self._parents)
        self.kind, self.group = next(((kind, group) for kind, group in made if group), (rlimit(), None))
        return self

    def __exit__(self, *_: object) -> None:
        """Write what was used and what came of it, and remove the group."""
        if self.limit_bytes is None:
            return
        use = use_of(self.group) if self.group else None
        removed = _remove(self.group) if self.group else None
        if self._folder.is_dir():
            record = {"kind": self.kind, "limit_bytes": self.limit_bytes, "applied": self._applied()}
            group = str(self.group) if self.group else None
            records.write_json(
                self._folder / records.CONFINE, {**record, "group": group, "use_at_end": use, "removed": removed}
            )
            for gap in self.gaps(removed):
                records.append(self._folder / records.GAPS, {"probe": gap.probe, "reason": gap.reason})

    @property
    def spec(self) -> dict[str, Any] | None:
        """What the child is to do at the start of its boot; None: nothing."""
        if self.kind is None:
            return None
        procs = str(self.group / "cgroup.procs") if self.group else None
        rlimits = None if self.group else {self.kind: self.limit_bytes}
        return {"kind": self.kind, "limit_bytes": self.limit_bytes, "cgroup_procs": procs, "rlimits": rlimits}

    def gaps(self, removed: bool | None) -> Iterator[Gap]:
        """Yield what did not come about."""
        if self.kind is None:
            yield Gap("memory confinement", f"no memory limit can be set on {sys.platform}: the trial ran without it")
        elif not self._applied():
            yield Gap("memory confinement", f"the child did not confirm its limit ({self.kind}): it may have had none")
        if removed is False:
            yield Gap("memory confinement", f"{self.group} is not empty and was left behind")

    def _applied(self) -> bool:
        """Whether the child itself has said that the limit holds."""
        rows = records.read_lines(self._folder / records.INSIDE).rows
        return any(row.value.get("event") == "confined" and row.value.get("applied") for row in rows)


def parents(membership: Path = SELF, root: Path = ROOT) -> list[tuple[str, Path]]:
    """Return (kind, group below which a group may be made) in the order of preference; asks, changes nothing."""
    if sys.platform != "linux":
        return []
    own, is_version_1 = counting_group(membership, root)
    if own and is_version_1:
        return [(V1, own)] if _is_writable(own) else []
    base = next((folder for folder in (root / "unified", root) if folder.is_dir()), root)
    above = [folder for folder in (own or base, *(own or base).parents) if folder.is_relative_to(base)]
    delegating = next((folder for folder in above if _delegates_memory(folder)), None)
    skipped = above[: above.index(delegating)] if delegating else []
    if delegating is None or not _is_writable(delegating) or any(_has_limit(folder) for folder in skipped):
        return []
    return [(V2, delegating)]


def kind_here() -> str | None:
    """Return which means a confinement would use on this machine; asks, changes nothing."""
    return next((kind for kind, _ in parents()), rlimit())


def _is_writable(group: Path) -> bool:
    return all(os.access(path, os.W_OK) for path in (group, group / "cgroup.procs"))


def _delegates_memory(group: Path) -> bool:
    file = group / "cgroup.subtree_control"
    return file.exists() and "memory" in file.read_text().split()


def _has_limit(group: Path) -> bool:
    """A group with a limit is never left for one beside it."""
    return "limit_bytes" in use_of(group)


def _make(kind: str, parent: Path, limit: int) -> Path | None:
    """Make a group with the limit; None where the system refuses. mkdir(1), since a refusal is no error here."""
    names = (f"inquest-{os.getpid()}-{number}" for number in _numbers)
    group = next(parent / name for name in names if not (parent / name).exists())
    if run_tool(["mkdir", str(group)]).code != 0:
        return None
    for file, text in _settings(kind, group, limit):
        (group / file).write_text(text)
    if abs(use_of(group).get("limit_bytes", -PAGE) - limit) >= PAGE:  # the kernel counts in pages
        _remove(group)
        return None
    return group


def _settings(kind: str, group: Path, limit: int) -> Iterator[tuple[str, str]]:
    """Yield (file, text): the limit, no swap beyond it, and an OOM killer that kills."""
    if kind == V2:
        settings = [("memory.max", str(limit)), ("memory.swap.max", "0")]
    else:
        settings = [("memory.limit_in_bytes", str(limit)), ("memory.memsw.limit_in_bytes", str(limit))]
    yield from ((file, text) for file, text in settings if (group / file).exists())
    if words_of(group / "memory.oom_control").get("oom_kill_disable"):  # inherited: the process would hang instead
        yield "memory.oom_control", "0"


def _remove(group: Path) -> bool:
    """Remove the group once it is empty; False where it did not become empty in time."""
    deadline = time.monotonic() + REMOVAL_SECONDS
    while group.is_dir() and time.monotonic() < deadline:
        if (group / "cgroup.procs").read_text().strip() or run_tool(["rmdir", str(group)]).code != 0:
            time.sleep(0.02)
    return not group.is_dir()


def rlimit() -> str | None:
    """Return which resource limit counts the memory that a process asks for; None where there is none."""
    if sys.platform != "linux":
        return None
    version = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit())
    return "RLIMIT_DATA" if version >= (4, 7) else "RLIMIT_AS"
