"""limit_use.jsonl, threads.jsonl, at_death.jsonl -> how full each limit other than memory was; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.refused import held_at_end, wording
from harness.facts.threads import limits as thread_limits
from harness.model import Fact, Source
from probes import records

RESOURCES = {
    "RLIMIT_NOFILE": wording.FILES, "vm.max_map_count": wording.MAPPINGS, "RLIMIT_MEMLOCK": wording.LOCKED,
    "RLIMIT_FSIZE": wording.FILE_SIZE, "/dev/shm": wording.SHARED,
    "fs.inotify.max_user_watches": wording.INOTIFY, "fs.inotify.max_user_instances": wording.INOTIFY,
}  # fmt: skip
OF_THREADS = ("RLIMIT_NPROC", "pids.max", "kernel.threads-max", "kernel.pid_max")
Rows = list[tuple[Source, dict[str, Any]]]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `limit_use` a limit: {resource, name, limit, used, last_used}, where it was used most and when last.

    The uses are None where they are not counted. `limit` is the one that held when most was used.
    """
    seen: dict[str, Rows] = {}
    for source, limit in (*_sampled(folder), *held_at_end.limits(folder)):
        if limit["name"] in RESOURCES:
            seen.setdefault(limit["name"], []).append((source, limit))
    return [*(_fact(name, rows) for name, rows in seen.items()), *_threads(folder)]


def _sampled(folder: TrialFolder) -> Iterator[tuple[Source, dict[str, Any]]]:
    for row in folder.lines(records.LIMIT_USE).rows:
        yield from ((folder.source(records.LIMIT_USE, row.line), limit) for limit in row.value["limits"])


def _fact(name: str, rows: Rows) -> Fact:
    most, last = max(reversed(rows), key=lambda row: row[1]["used"] or 0), rows[-1]
    value = {"resource": RESOURCES[name], **most[1], "last_used": last[1]["used"]}
    return Fact("limit_use", value, tuple(dict.fromkeys((most[0], last[0]))))


def _threads(folder: TrialFolder) -> list[Fact]:
    """The tightest limit of threads and processes, which count alike: as held at the end, or else as sampled."""
    rows = [(source, it) for source, it in held_at_end.limits(folder) if it["name"].endswith(OF_THREADS)]
    held = min(rows, key=lambda row: row[1]["limit"] - row[1]["used"], default=None)
    bounds = thread_limits.tightest(folder)
    if held is not None and (bounds is None or held[1]["limit"] - held[1]["used"] <= bounds[0].left):
        name = ("control group, " if held[1]["name"].startswith("/") else "") + held[1]["name"]
        value = {"resource": wording.THREADS, **held[1], "name": name, "last_used": held[1]["used"]}
        return [Fact("limit_use", value, (held[0],))]
    if bounds is None:
        return []
    most, last = bounds
    uses = {"used": most.total - most.left, "last_used": last.total - last.left}
    value = {"resource": wording.THREADS, "name": most.name, "limit": most.total, **uses}
    return [Fact("limit_use", value, tuple(dict.fromkeys((*most.sources, *last.sources))))]
