"""pressure.jsonl -> the control groups of a trial's process: their rows, and what they still had; pure."""

from __future__ import annotations

import dataclasses
from math import inf
from typing import Any

from harness.facts.folder import TrialFolder
from harness.model import Source
from probes import records


@dataclasses.dataclass(frozen=True)
class GroupRow:
    """What one row of pressure.jsonl says of one group."""

    line: int
    t: float
    alive: bool
    value: dict[str, Any]


def history(folder: TrialFolder) -> dict[str, list[GroupRow]]:
    """Return the group's path -> its rows in the order of time; the row of the end is no longer of a living process."""
    found: dict[str, list[GroupRow]] = {}
    for row in folder.lines(records.PRESSURE).rows:
        for group in row.value.get("groups", ()):
            alive = row.value.get("at") != "end"
            found.setdefault(group["path"], []).append(GroupRow(row.line, row.value["t"], alive, group))
    return found


def own_group(folder: TrialFolder) -> str | None:
    """Return the group that counted the process: the one made for the trial, else the last that it was seen in."""
    confine = folder.spec.get("confine") or {}
    if confine.get("cgroup_procs"):
        return str(confine["cgroup_procs"].rpartition("/")[0])
    seen = [row.value["own"] for row in folder.lines(records.PRESSURE).rows if "own" in row.value]
    return seen[-1] if seen else None


def is_made_for_trial(folder: TrialFolder) -> bool:
    """Whether nobody but the trial's own processes can have been in its group."""
    return bool((folder.spec.get("confine") or {}).get("cgroup_procs"))


def oom_kills(rows: list[GroupRow]) -> tuple[int, GroupRow, GroupRow] | None:
    """Return the kills in the group itself between its first row and its last, and these rows; None: not counted."""
    counted = [row for row in rows if _kills(row) is not None]
    return (_kills(counted[-1]) - _kills(counted[0]), counted[0], counted[-1]) if counted else None


def killing_groups(folder: TrialFolder) -> set[str]:
    """Return the groups in which the OOM killer struck while the trial ran."""
    counted = {path: oom_kills(rows) for path, rows in history(folder).items()}
    return {path for path, kills in counted.items() if kills is not None and kills[0] > 0}


def left_in_groups(folder: TrialFolder, last_rss: int, until: float = inf) -> list[tuple[str, int, int, Source]]:
    """Return (path, limit, left, source) of each limited group at the last sample of the process before `until`.

    Pages of files are not counted as use: the kernel takes them back before it kills. What the process has grown by
    since the group was last read is. Where the OOM killer struck, the group's own peak tells, however fast it went.
    """
    rss_at = {row.line: row.value.get("rss_bytes") for row in folder.lines(records.PRESSURE).rows}
    found, struck = [], killing_groups(folder)
    for path, rows in history(folder).items():
        live = [row for row in rows if row.alive and "limit_bytes" in row.value and row.t <= until] or [
            row for row in rows if row.alive and "limit_bytes" in row.value
        ][:1]
        if live:
            value, rss = live[-1].value, rss_at[live[-1].line]
            used = value.get("usage_bytes", 0) - value.get("cache_bytes", 0)
            grown = max(0, last_rss - rss) if rss is not None else 0
            limit, source = value["limit_bytes"], folder.source(records.PRESSURE, live[-1].line)
            peak, seen = rows[-1].value.get("peak_bytes", 0), folder.source(records.PRESSURE, rows[-1].line)
            by_peak = path in struck and peak > used + grown
            left = limit - (peak if by_peak else used + grown)
            found.append((path, limit, max(0, left), seen if by_peak else source))
    return found


def _kills(row: GroupRow) -> Any:
    return row.value.get("oom_kill_local", row.value.get("oom_kill"))
