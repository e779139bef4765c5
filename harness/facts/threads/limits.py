"""threads.jsonl -> how many threads there could have been: the tightest limit, and how often one refused; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.model import Fact, Source
from probes import records
from probes.records import Row


@dataclasses.dataclass(frozen=True)
class Bound:
    """One limit of the number of threads at one sample: its name, its height, and what was left below it."""

    name: str
    total: int
    left: int
    sources: tuple[Source, ...]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `thread_creations_refused`: how often the control groups refused a thread or a process in the trial.

    Others in the same groups are counted with it; nothing where no group bounds threads.
    """
    return _refused(folder, folder.lines(records.THREADS).rows)


def tightest(folder: TrialFolder) -> tuple[Bound, Bound] | None:
    """Return the limit that had the least room at any sample: as it was then, and when last seen; None without one."""
    found = [bound for row in folder.lines(records.THREADS).rows for bound in _bounds(folder, row)]
    least = min(found, key=lambda bound: bound.left, default=None)
    return (least, next(bound for bound in reversed(found) if bound.name == least.name)) if least else None


def _bounds(folder: TrialFolder, row: Row) -> Iterator[Bound]:
    """Yield the limits that held at one sample; RLIMIT_NPROC is recorded only for users that it binds."""
    sample, here = row.value, folder.source(records.THREADS, row.line)
    if "pids_max" in sample and not sample.get("ended"):
        left = sample["pids_max"] - sample["pids_current"]
        yield Bound(f"control group, {sample['pids_group']}/pids.max", sample["pids_max"], left, (here,))
    if "nproc_limit" in sample:
        started = folder.key_source(records.ENVIRONMENT, "RLIMIT_NPROC")
        left = sample["nproc_limit"] - sample["user_threads"]
        yield Bound("RLIMIT_NPROC", sample["nproc_limit"], left, (here, started))
    if "machine_threads_max" in sample:
        left = sample["machine_threads_max"] - sample["machine_threads"]
        yield Bound("the machine's kernel.threads-max or kernel.pid_max", sample["machine_threads_max"], left, (here,))


def _refused(folder: TrialFolder, rows: tuple[Row, ...]) -> list[Fact]:
    """Compare the groups' count at the first sample with that after the end, within the group that bound first."""
    counted = [row for row in rows if "pids_refused" in row.value]
    same = [row for row in counted if row.value["pids_group"] == counted[-1].value["pids_group"]]
    if not same:
        return []
    sources = tuple(folder.source(records.THREADS, line) for line in dict.fromkeys((same[0].line, same[-1].line)))
    return [Fact("thread_creations_refused", same[-1].value["pids_refused"] - same[0].value["pids_refused"], sources)]
