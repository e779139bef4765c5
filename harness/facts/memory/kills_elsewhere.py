"""kernel.jsonl -> the OOM kills of strangers in memory groups of their own, while the trial ran; pure.

The machine's counter counts them, too. Such a kill is none of the target's: another process, and the limit that was
reached is not of a group that the target is in. Source: dump_oom_victim in mm/oom_kill.c.
"""

from __future__ import annotations

import re

from harness.facts.folder import TrialFolder
from harness.facts.memory.control_groups import own_group
from harness.facts.memory.signs import CLOCK_SECONDS
from harness.facts.processes import ends as process_ends
from harness.model import Fact
from probes import records
from probes.records import Row

CHOSEN = re.compile(r"oom-kill:constraint=(?P<why>\w+),.*oom_memcg=(?P<group>[^,]*),.*pid=(?P<pid>\d+)")
MOUNTS = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `oom_kills_elsewhere`; nothing where the log tells of none, or of one that may be the target's."""
    own, pids = _below_mount(own_group(folder) or ""), _pids(folder)
    rows = [row for row in folder.lines(records.KERNEL).rows if _is_within(folder, row)]
    told = [(row, match) for row in rows if (match := CHOSEN.search(row.value["text"])) is not None]
    strange = [row for row, match in told if _is_strange(match, own, pids)]
    if not strange or len(strange) < len(told):
        return []
    sources = tuple(folder.source(records.KERNEL, row.line) for row in strange)
    return [Fact("oom_kills_elsewhere", len(strange), sources)]


def _is_strange(match: re.Match[str], own: str, pids: set[int]) -> bool:
    """Where the own group's path is not known from the root (a namespace), no group is known to be another's."""
    group = match["group"].rstrip("/")
    is_ours = f"{own}/".startswith(f"{group}/")
    return match["why"] == "CONSTRAINT_MEMCG" and bool(own and group) and not is_ours and int(match["pid"]) not in pids


def _below_mount(path: str) -> str:
    """Return the group's path as the kernel writes it; "" for the root."""
    mount = next((mount for mount in MOUNTS if path == mount or path.startswith(f"{mount}/")), path)
    return path.removeprefix(mount)


def _is_within(folder: TrialFolder, row: Row) -> bool:
    began, seconds = folder.exit.get("started_monotonic"), folder.exit.get("seconds", 0.0)
    return began is not None and began - CLOCK_SECONDS <= row.value["t"] <= began + seconds + CLOCK_SECONDS


def _pids(folder: TrialFolder) -> set[int]:
    children = [row.value["child"] for row in folder.lines(records.CHILDREN).rows if "child" in row.value]
    return {folder.exit.get("pid", 0), *children, *(end.pid for end in process_ends.read(folder))}
