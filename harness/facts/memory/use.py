"""memory.jsonl, environment.json and exit.json -> how much memory was used, and how much was left; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.memory import unsampled
from harness.facts.memory.control_groups import killing_groups, left_in_groups
from harness.facts.processes import first_death
from harness.model import Fact, Source
from probes import records

GROUP = "control group, "
SUPERVISOR_GROWS = 1.05  # between the note of its size and the fork


@dataclasses.dataclass(frozen=True)
class Limit:
    """One limit of memory: its name, its height, and what was left below it at the last sample, in bytes."""

    name: str
    total: int
    left: int
    source: Source


def facts(folder: TrialFolder) -> list[Fact]:
    """Return peak and last use, threads, and the headroom under the tightest limit; none where nothing was sampled."""
    rows = folder.lines(records.MEMORY).rows
    own = [row for row in rows if "rss_bytes" in row.value]
    machine = [row for row in rows if "available_bytes" in row.value]
    found = _use(folder, own) if own else []
    until = instant_of_death(folder)
    if own and machine:
        found += _headroom(folder, _last(own, until), _last(machine, until), until)
        found += _tree_at_death(folder, _last(machine, until))
    else:
        found += unsampled.headroom(folder)
    return found + _tree(folder, machine) + _peak(folder, own) + _outer(folder)


def _outer(folder: TrialFolder) -> list[Fact]:
    """Return `outer_memory_limit_bytes`: the tightest control group around the supervisor, and so around any trial."""
    environment = records.read_json(folder.path / records.ENVIRONMENT) or {}
    groups = environment.get("cgroup_memory_limits", {})
    tightest = min(groups, key=groups.get, default=None)
    if tightest is None:
        return []
    return [Fact("outer_memory_limit_bytes", groups[tightest], (folder.key_source(records.ENVIRONMENT, tightest),))]


def instant_of_death(folder: TrialFolder) -> float:
    """Return when the process that died first did so: what came after it, its parent still lived to use; else never."""
    first = first_death.deaths(folder).first
    return first.began if first is not None and first.folder else inf


def _last(rows: list[records.Row], until: float) -> records.Row:
    return next((row for row in reversed(rows) if row.value["t"] <= until), rows[0])


def _tree_at_death(folder: TrialFolder, machine: records.Row) -> list[Fact]:
    """Return what all processes together had then, where there were several; shared pages count for each of them."""
    value = machine.value.get("tree_pss_bytes", machine.value.get("tree_rss_bytes"))
    several = machine.value.get("processes", 1) > 1 and value is not None
    return [Fact("tree_use_at_death_bytes", value, (folder.source(records.MEMORY, machine.line),))] if several else []


def _use(folder: TrialFolder, own: list[records.Row]) -> list[Fact]:
    last, most = own[-1], max(own, key=of("threads"))
    return [
        Fact("rss_at_end_bytes", last.value["rss_bytes"], (folder.source(records.MEMORY, last.line),)),
        _threads(folder, most),
    ]


def _threads(folder: TrialFolder, sampled: records.Row) -> Fact:
    """Return `threads_max`: the most at any sample, or as many as Python itself counted; some live shortly."""
    told = [row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "threads"]
    most = max(told, key=of("python_threads"), default=None)
    if most is not None and most.value["python_threads"] > sampled.value["threads"]:
        return Fact("threads_max", most.value["python_threads"], (folder.source(records.INSIDE, most.line),))
    return Fact("threads_max", sampled.value["threads"], (folder.source(records.MEMORY, sampled.line),))


def _tree(folder: TrialFolder, machine: list[records.Row]) -> list[Fact]:
    """Return the highest sum over the process and its descendants, where there were any: what they share once (PSS)."""
    key = "tree_pss_bytes"
    rows = [row for row in machine if row.value.get("processes", 1) > 1 and key in row.value]
    most = max(rows, key=of(key), default=None)
    return [Fact("tree_peak_pss_bytes", most.value[key], (folder.source(records.MEMORY, most.line),))] if most else []


def _headroom(folder: TrialFolder, own: records.Row, machine: records.Row, until: float) -> list[Fact]:
    """Return what was left under the limit of the group that killed, where one did; else under the tightest."""
    limits = list(_limits(folder, own, machine, until))
    killing = {GROUP + path for path in killing_groups(folder)}
    tightest = min([limit for limit in limits if limit.name in killing] or limits, key=lambda limit: limit.left)
    sources = (tightest.source, folder.source(records.MEMORY, own.line))
    return [
        Fact("headroom_bytes", tightest.left, sources),
        Fact("memory_limit_bytes", tightest.total, (tightest.source,)),
        Fact("memory_limit_name", tightest.name, (tightest.source,)),
    ]


def _limits(folder: TrialFolder, own: records.Row, machine: records.Row, until: float) -> Iterator[Limit]:
    """Yield every limit that is known to hold; use is counted as of the last sample."""
    environment = records.read_json(folder.path / records.ENVIRONMENT) or {}
    rss, seen = own.value["rss_bytes"], folder.source(records.MEMORY, machine.line)
    available = machine.value["available_bytes"] + machine.value.get("swap_free_bytes", 0)
    yield Limit("the machine's memory", environment.get("memory_bytes", available), available, seen)
    metered = left_in_groups(folder, rss, until)
    for path, limit, left, source in metered:
        yield Limit(GROUP + path, limit, left, source)
    for file, limit in environment.get("cgroup_memory_limits", {}).items():
        if not any(file.rpartition("/")[0] == path for path, *_ in metered):  # those have counted everybody in them
            yield Limit(GROUP + file, limit, limit - rss, folder.key_source(records.ENVIRONMENT, file))
    yield from _address_limit(folder, environment, own)
    yield from _data_limit(folder, own)
    yield from _commit_limit(folder)
    planned = folder.spec.get("limits", {}).get("memory_bytes")
    if planned:
        yield Limit(
            "the plan's limits.memory_bytes", planned, planned - rss, folder.key_source(records.SPEC, "memory_bytes")
        )


def _address_limit(folder: TrialFolder, environment: dict[str, Any], own: records.Row) -> Iterator[Limit]:
    """Yield RLIMIT_AS: as the process had it last (it may have set it itself), else as it was started."""
    rows = [row for row in folder.lines(records.PRESSURE).rows if row.value.get("rlimits", {}).get("RLIMIT_AS")]
    if rows:
        limit, source = rows[-1].value["rlimits"]["RLIMIT_AS"], folder.source(records.PRESSURE, rows[-1].line)
    else:
        limit = environment.get("rlimits", {}).get("RLIMIT_AS", [-1])[0]
        source = folder.key_source(records.ENVIRONMENT, "RLIMIT_AS")
    if limit > 0:
        yield Limit("RLIMIT_AS", limit, max(0, limit - own.value["vms_bytes"]), source)


def _data_limit(folder: TrialFolder, own: records.Row) -> Iterator[Limit]:
    """Yield RLIMIT_DATA: as the process had it, else as the boot was to set it; what VMS has grown by since counts."""
    rows = [row for row in folder.lines(records.PRESSURE).rows if "data_bytes" in row.value]
    limits = [row.value["rlimits"]["RLIMIT_DATA"] for row in rows if row.value.get("rlimits", {}).get("RLIMIT_DATA")]
    planned = ((folder.spec.get("confine") or {}).get("rlimits") or {}).get("RLIMIT_DATA")
    limit = limits[-1] if limits else planned
    if rows and limit:
        row = rows[-1]
        used = row.value["data_bytes"] + max(0, own.value["vms_bytes"] - row.value["vms_bytes"])
        yield Limit("RLIMIT_DATA", limit, max(0, limit - used), folder.source(records.PRESSURE, row.line))


def _commit_limit(folder: TrialFolder) -> Iterator[Limit]:
    """Yield the machine's commit limit where it is strict."""
    rows = [row for row in folder.lines(records.PRESSURE).rows if row.value.get("at") != "end"]
    if rows and rows[0].value.get("overcommit") == "2" and "commit_limit_bytes" in rows[-1].value:
        total = rows[-1].value["commit_limit_bytes"]
        left = total - rows[-1].value["committed_bytes"]
        yield Limit("the machine's commit limit", total, left, folder.source(records.PRESSURE, rows[-1].line))


def of(key: str) -> Callable[[records.Row], Any]:
    """Return what takes the value of that key from a row."""
    return lambda row: row.value[key]


def _peak(folder: TrialFolder, own: list[records.Row]) -> list[Fact]:
    """The kernel's own peak where it has one, else the highest sample, which can have missed it: `ru_maxrss` cannot.

    But it starts at the size of the supervisor that forked the child: where it is no more than that, it is not the
    child's.
    """
    kernel = folder.exit.get("max_rss_bytes") or 0
    environment = records.read_json(folder.path / records.ENVIRONMENT) or {}
    if kernel > environment.get("supervisor_rss_bytes", 0) * SUPERVISOR_GROWS or (kernel and not own):
        return [Fact("peak_rss_bytes", kernel, (folder.key_source(records.EXIT, "max_rss_bytes"),))]
    most = max(own, key=of("rss_bytes"), default=None)
    source = (folder.source(records.MEMORY, most.line),) if most else ()
    return [Fact("peak_rss_bytes", most.value["rss_bytes"], source)] if most else []
