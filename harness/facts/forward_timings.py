"""forwards.jsonl -> timings per top-level module and call; pure."""

from __future__ import annotations

import statistics
from collections import defaultdict

from harness.facts.folder import TrialFolder
from harness.model import ForwardTiming
from probes import records

Key = tuple[str, int]


def summary(folder: TrialFolder, place: str = "") -> tuple[ForwardTiming, ...]:
    """Return count, median, 95th percentile and unfinished calls, in the order of their first begin.

    `place` is the folder, within the trial's, of the process that is asked; "" for the observed one. A begin is matched
    with the next end of the same thread, module, call and step.
    """
    begun: dict[tuple[object, ...], float] = {}
    seconds: dict[Key, list[float]] = defaultdict(list)
    order: dict[Key, int] = {}
    for row in folder.lines(place + records.FORWARDS).rows:
        value = row.value
        key = (value["module"], value["call"])
        order.setdefault(key, row.line)
        where = (value["thread"], *key, value["step"])
        if value["event"] == "begin":
            begun[where] = value["t"]
        elif where in begun:
            seconds[key].append(value["t"] - begun.pop(where))
    unfinished = [where[1:3] for where in begun]
    return tuple(_timing(key, seconds[key], unfinished.count(key)) for key in sorted(order, key=lambda key: order[key]))


def _timing(key: Key, values: list[float], unfinished: int) -> ForwardTiming:
    return ForwardTiming(
        module=key[0], call=key[1], count=len(values), unfinished=unfinished,
        median_seconds=statistics.median(values) if values else None,
        p95_seconds=percentile(values, 0.95) if values else None,
    )  # fmt: skip


def percentile(values: list[float], share: float) -> float:
    """Return the linearly interpolated percentile (Hyndman and Fan's type 7, as numpy's default)."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
