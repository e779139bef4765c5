"""exit.json, pressure.jsonl -> what a process that was gone before the first sample had left, at the least; pure.

The kernel's own peak bounds what it used; what there was before it began bounds what it could use.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.model import Fact, Source
from probes import records

GROUP = "control group, "
Bound = tuple[str, int, int, Source]


def headroom(folder: TrialFolder) -> list[Fact]:
    """Return headroom, limit and its name, of the tightest limit known before the launch; none without a peak."""
    peak = folder.exit.get("max_rss_bytes")
    bounds = list(_bounds(folder))
    if not peak or not bounds:
        return []
    name, total, free, source = min(bounds, key=lambda bound: bound[2])
    sources = (source, folder.key_source(records.EXIT, "max_rss_bytes"))
    return [
        Fact("headroom_bytes", max(0, free - peak), sources),
        Fact("memory_limit_bytes", total, (source,)),
        Fact("memory_limit_name", name, (source,)),
    ]


def _bounds(folder: TrialFolder) -> Iterator[Bound]:
    """Yield (name, limit, what was free before, source); sizes in bytes."""
    environment = records.read_json(folder.path / records.ENVIRONMENT) or {}
    free = environment.get("available_bytes")
    if free is not None:
        source = folder.key_source(records.ENVIRONMENT, "available_bytes")
        yield "the machine's memory", environment.get("memory_bytes", free), free, source
    for row in folder.lines(records.PRESSURE).rows[:1]:
        for group in row.value.get("groups", ()):
            if "limit_bytes" in group:
                used = group.get("usage_bytes", 0) - group.get("cache_bytes", 0)
                seen = folder.source(records.PRESSURE, row.line)
                yield GROUP + group["path"], group["limit_bytes"], group["limit_bytes"] - used, seen
