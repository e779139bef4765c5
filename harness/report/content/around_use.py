"""What a trial used near its end: limits that were nearly full, memory beside the peak, looks before a kill; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness import units
from harness.model import Fact, Reason, Trial
from harness.report.content.facts_of import every, sources_of, values_of

NEARLY = 0.8
IN_BYTES = ("RLIMIT_MEMLOCK", "/dev/shm")
LEAST_STALL_SECONDS = 0.1


def lines(trial: Trial) -> Iterator[Reason]:
    """Yield the sentences on memory and on the looks that were taken before it ran out."""
    yield from (Reason(_raised(fact.value), fact.sources) for fact in every(trial, "peak_raised_by"))
    for fact in every(trial, "tree_peak_pss_bytes"):
        text = f"all its processes together used {units.size(fact.value)}, what they share counted once"
        yield Reason(text, fact.sources)
    yield from _memory(trial)
    for fact in every(trial, "commit_headroom_bytes"):
        text = f"the system could still promise {units.size(fact.value)} of memory: it counts strictly, by a limit"
        yield Reason(text, fact.sources)
    for fact in every(trial, "memory_stall_seconds"):
        if fact.value >= LEAST_STALL_SECONDS:
            text = f"all work on the machine stood still for want of memory for {units.duration(fact.value)} together"
            yield Reason(text, fact.sources)
    yield from (Reason(_snapshot(fact.value), fact.sources[:1]) for fact in every(trial, "headroom_snapshot"))


def limits(trial: Trial) -> Iterator[Reason]:
    """Yield the limits of which more than four fifths were in use, each with its use and when."""
    yield from (Reason(_limit(fact.value), fact.sources) for fact in every(trial, "limit_use") if is_nearly_full(fact))
    for fact in every(trial, "full_file"):
        free = units.size(fact.value.get("free_bytes"))
        text = f"{fact.value['path']} was open for writing at the end, on a file system with {free} of room"
        yield Reason(text, fact.sources)


def is_nearly_full(fact: Fact) -> bool:
    """Whether more than four fifths of a limit were in use at some look."""
    used, limit = fact.value["used"], fact.value["limit"]
    return used is not None and limit > 0 and used >= NEARLY * limit


def _limit(value: dict[str, Any]) -> str:
    used, limit, last = (_amount(value, key) for key in ("used", "limit", "last_used"))
    share = units.percent(value["used"] / value["limit"])
    later = (
        f", {last} at the last look" if value.get("last_used") not in (None, value["used"]) else ", to the last look"
    )
    return f"{value['resource']}: {used} of {limit} were in use ({share}{later}), by {value['name']}"


def _amount(value: dict[str, Any], key: str) -> str:
    return units.size(value.get(key)) if value["name"] in IN_BYTES else str(value.get(key))


def _memory(trial: Trial) -> Iterator[Reason]:
    """Say what of its memory was its own, and what was swapped out."""
    names = ("uss_bytes", "pss_bytes", "swap_peak_bytes")
    found = values_of(trial, *names)
    parts = [f"{units.size(found['uss_bytes'])} were its own alone"] if "uss_bytes" in found else []
    parts += [f"{units.size(found['pss_bytes'])} with its share of what others use too"] if "pss_bytes" in found else []
    parts += [f"{units.size(found['swap_peak_bytes'])} were swapped out"] if found.get("swap_peak_bytes") else []
    if parts:
        yield Reason(f"of its memory, when last looked at: {', '.join(parts)}", sources_of(trial, *names))


def _raised(value: dict[str, Any]) -> str:
    place = f"{value['module']}, call {value['call']} of step {value['step']}" if value["module"] else "no forward"
    return f"the peak of its memory was reached in {place}, by a rise of {units.size(value['rise_bytes'])}"


def _snapshot(value: dict[str, Any]) -> str:
    left, limit = units.size(value.get("left")), units.size(value.get("limit_bytes"))
    pace = units.size(value.get("growth_bytes_per_second"))
    what = f"looked at when {left} of {limit} were left under {value.get('limit')}, {pace} going each second"
    return f"{what}: its stacks and mappings are in {value['folder']}"
