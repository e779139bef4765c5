"""One memory control group in numbers: use, limit, peak, reclaim and OOM kills (cgroup v1 and v2).

Source: the kernel's Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst. `failcnt` counts reclaim, never a
kill. Version 1 counts `oom_kill` in the victim's own group only; version 2 in the parents' too, which is why
`oom_kill_local` stands beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from probes.outside.memory.control_group_limits import UNLIMITED

NUMBERS = {
    "usage_bytes": ("memory.current", "memory.usage_in_bytes"), "limit_bytes": ("memory.max", "memory.limit_in_bytes"),
    "peak_bytes": ("memory.peak", "memory.max_usage_in_bytes"), "failcnt": ("memory.failcnt",),
}  # fmt: skip
WORDS = {
    "oom_kill": (("memory.events", "oom_kill"), ("memory.oom_control", "oom_kill")),
    "oom_kill_local": (("memory.events.local", "oom_kill"), ("memory.oom_control", "oom_kill")),
    "under_oom": (("memory.oom_control", "under_oom"),),
}
CACHES = (("total_inactive_file", "total_active_file"), ("inactive_file", "active_file"))  # v1's own lines leave out
#                                                                                             the groups below


def use_of(group: Path) -> dict[str, Any]:
    """Return the group's numbers; one that this kernel does not give, or that is unlimited, is left out.

    `cache_bytes` is the part of the use that the kernel takes back before it kills: pages of files.
    """
    numbers = {name: _number(group, files) for name, files in NUMBERS.items()}
    numbers |= {name: _word(group, places) for name, places in WORDS.items()}
    numbers["cache_bytes"] = _cache(words_of(group / "memory.stat"))
    return {"path": str(group), **{name: value for name, value in numbers.items() if value is not None}}


def is_limited(group: Path) -> bool:
    """Whether the group has a limit of its own."""
    return _number(group, NUMBERS["limit_bytes"]) is not None


def words_of(file: Path) -> dict[str, int]:
    """Return a file of `name number` lines; empty where there is none."""
    rows = (line.split() for line in (file.read_text().splitlines() if file.exists() else []))
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _number(group: Path, files: tuple[str, ...]) -> int | None:
    texts = ((group / file).read_text().strip() for file in files if (group / file).exists())
    return next((int(text) for text in texts if text.isdigit() and int(text) < UNLIMITED), None)


def _word(group: Path, places: tuple[tuple[str, str], ...]) -> int | None:
    found = (words_of(group / file).get(word) for file, word in places)
    return next((value for value in found if value is not None), None)


def _cache(stat: dict[str, int]) -> int | None:
    return next((sum(stat.get(name, 0) for name in names) for names in CACHES if names[0] in stat), None)
