"""pressure.jsonl, memory.jsonl, environment.json -> of each limit of memory, the most that was ever used; pure.

By the kernel's own peaks where it keeps them: that of a control group (everybody in it, pages of files included), and
that of a process (`max_rss_bytes`), which allows for a burst between two samples. What cannot be told is None.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.facts.memory.control_groups import GroupRow, history
from harness.facts.memory.use import GROUP
from harness.model import Fact, Source
from probes import records
from probes.records import Row

MACHINE = "the machine's memory"
ADDRESSES = ("RLIMIT_AS", "RLIMIT_DATA")
Used = tuple[str, int, int | None, Source]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `memory_limit_used` for each limit that held: {name, limit_bytes, most_bytes}.

    Also `under_oom` where a control group had its processes wait for memory instead of killing one, and
    `memory_waits_seconds`: how long anything on the machine waited for memory (PSI, `some`).
    """
    found = [*_machine(folder), *_groups(folder), *_addresses(folder)]
    told = [
        Fact("memory_limit_used", {"name": name, "limit_bytes": limit, "most_bytes": most}, (source,))
        for name, limit, most, source in found
    ]
    return told + _under_oom(folder) + _waits(folder)


def _machine(folder: TrialFolder) -> Iterator[Used]:
    """What was not available at the worst sample, and what sampling missed of the process' own peak."""
    environment = records.read_json(folder.path / records.ENVIRONMENT) or {}
    total, peak = environment.get("memory_bytes"), folder.exit.get("max_rss_bytes")
    rows = folder.lines(records.MEMORY).rows
    machine, own = _having(rows, "available_bytes"), _having(rows, "rss_bytes")
    if total is None:
        return
    if machine and own and peak is not None:
        worst = min(machine, key=lambda row: row.value["available_bytes"])
        missed = max(0, peak - max(row.value["rss_bytes"] for row in own))
        used = total - worst.value["available_bytes"] + missed
        yield MACHINE, total, used, folder.source(records.MEMORY, worst.line)
        return
    free = environment.get("available_bytes")
    before = total - free + peak if free is not None and peak is not None else None
    yield MACHINE, total, before, folder.key_source(records.ENVIRONMENT, "memory_bytes")


def _groups(folder: TrialFolder) -> Iterator[Used]:
    """Every group with a limit, those that only the environment tells of included: of these nobody read the peak."""
    metered = history(folder)
    for path, rows in metered.items():
        limits = [row.value["limit_bytes"] for row in rows if "limit_bytes" in row.value]
        if limits:
            yield _of_group(folder, path, min(limits), rows)
    environment = records.read_json(folder.path / records.ENVIRONMENT) or {}
    for file, limit in environment.get("cgroup_memory_limits", {}).items():
        if file.rpartition("/")[0] not in metered:
            yield f"{GROUP}{file}", limit, None, folder.key_source(records.ENVIRONMENT, file)


def _of_group(folder: TrialFolder, path: str, limit: int, rows: list[GroupRow]) -> Used:
    peaks = [row for row in rows if "peak_bytes" in row.value]
    last = max(peaks, key=lambda row: row.value["peak_bytes"], default=rows[-1])
    return f"{GROUP}{path}", limit, last.value.get("peak_bytes"), folder.source(records.PRESSURE, last.line)


def _addresses(folder: TrialFolder) -> Iterator[Used]:
    """RLIMIT_AS and RLIMIT_DATA: all addresses of the tree bound what any of its processes used of either."""
    most = _most_addresses(folder)
    for name in ADDRESSES:
        limits = list(_soft(folder, name))
        if limits:
            lowest, source = min(limits, key=lambda limit: limit[0])
            yield name, lowest, most, source


def _soft(folder: TrialFolder, name: str) -> Iterator[tuple[int, Source]]:
    """Yield each height that the limit is known to have had: at the start, in between, as the boot was to set it."""
    environment = records.read_json(folder.path / records.ENVIRONMENT) or {}
    at_start = environment.get("rlimits", {}).get(name, [-1])[0]
    planned = ((folder.spec.get("confine") or {}).get("rlimits") or {}).get(name)
    if at_start is not None and at_start > 0:
        yield at_start, folder.key_source(records.ENVIRONMENT, name)
    if planned:
        yield planned, folder.key_source(records.SPEC, name)
    for row in folder.lines(records.PRESSURE).rows:
        limit = row.value.get("rlimits", {}).get(name)
        if limit:
            yield limit, folder.source(records.PRESSURE, row.line)


def _most_addresses(folder: TrialFolder) -> int | None:
    rows = [*folder.lines(records.MEMORY).rows, *folder.lines(records.PRESSURE).rows]
    found = [row.value[key] for row in rows for key in ("vms_bytes", "tree_vms_bytes") if row.value.get(key)]
    return max(found, default=None)


def _under_oom(folder: TrialFolder) -> list[Fact]:
    rows = [row for rows in history(folder).values() for row in rows if row.value.get("under_oom")]
    return [Fact("under_oom", True, (folder.source(records.PRESSURE, row.line),)) for row in rows[:1]]


def _waits(folder: TrialFolder) -> list[Fact]:
    rows = [row for row in folder.lines(records.PRESSURE).rows if "some_total_seconds" in row.value.get("psi", {})]
    if len(rows) < 2:
        return []
    first, last = (row.value["psi"]["some_total_seconds"] for row in (rows[0], rows[-1]))
    return [Fact("memory_waits_seconds", round(last - first, 6), (folder.source(records.PRESSURE, rows[-1].line),))]


def _having(rows: tuple[Row, ...] | list[Row], key: str) -> list[Row]:
    return [row for row in rows if row.value.get(key) is not None]
