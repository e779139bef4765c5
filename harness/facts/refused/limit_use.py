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
    "fs.inotify.max_user_watches": wording.INOTIFY, "fs.inotify.max_user_instances": wording.INOTIFY,
}  # fmt: skip


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `limit_use` a limit: {resource, name, limit, used, last_used}, where it was used most and when last.

    The uses are None where they are not counted. `limit` is the one that held when most was used.
    """
    seen: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for row in folder.lines(records.LIMIT_USE).rows:
        for limit in row.value["limits"]:
            seen.setdefault(limit["name"], []).append((row.line, limit))
    return [*(_fact(folder, name, rows) for name, rows in seen.items()), *_threads(folder)]


def _fact(folder: TrialFolder, name: str, rows: list[tuple[int, dict[str, Any]]]) -> Fact:
    most, last = max(reversed(rows), key=lambda row: row[1]["used"] or 0), rows[-1]
    sources = tuple(folder.source(records.LIMIT_USE, line) for line in dict.fromkeys((most[0], last[0])))
    return Fact("limit_use", {"resource": RESOURCES[name], **most[1], "last_used": last[1]["used"]}, sources)


def _threads(folder: TrialFolder) -> list[Fact]:
    """The tightest limit of threads and processes, which count alike."""
    bounds = thread_limits.tightest(folder)
    if bounds is None:
        return []
    most, last = bounds
    uses = {"used": most.total - most.left, "last_used": last.total - last.left}
    value = {"resource": wording.THREADS, "name": most.name, "limit": most.total, **uses}
    return [Fact("limit_use", value, tuple(dict.fromkeys((*most.sources, *last.sources))))]
