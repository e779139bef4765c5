"""limit_use.jsonl, threads.jsonl -> how full each limit other than memory was; pure."""

from __future__ import annotations

from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.refused import wording
from harness.facts.threads import limits as thread_limits
from harness.model import Fact
from probes import records

RESOURCES = {
    "RLIMIT_NOFILE": wording.FILES, "vm.max_map_count": wording.MAPPINGS, "RLIMIT_MEMLOCK": wording.LOCKED,
    "RLIMIT_FSIZE": wording.FILE_SIZE, "/dev/shm": wording.SHARED,
}  # fmt: skip


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `limit_use` a limit, at its highest use: {resource, name, limit, used} (used None: not counted)."""
    highest: dict[str, tuple[int, dict[str, Any]]] = {}
    for row in folder.lines(records.LIMIT_USE).rows:
        for limit in row.value["limits"]:
            known = highest.get(limit["name"])
            if known is None or (limit["used"] or 0) >= (known[1]["used"] or 0):
                highest[limit["name"]] = (row.line, limit)
    found = [
        Fact("limit_use", {"resource": RESOURCES[name], **limit}, (folder.source(records.LIMIT_USE, line),))
        for name, (line, limit) in highest.items()
    ]
    return [*found, *_threads(folder)]


def _threads(folder: TrialFolder) -> list[Fact]:
    """The tightest limit of threads, as another reader has found it."""
    told = {fact.name: fact for fact in thread_limits.facts(folder)}
    limit, left, name = (told.get(f"thread_{key}") for key in ("limit", "headroom", "limit_name"))
    if limit is None or left is None or name is None:
        return []
    value = {"resource": wording.THREADS, "name": name.value, "limit": limit.value, "used": limit.value - left.value}
    return [Fact("limit_use", value, left.sources)]
