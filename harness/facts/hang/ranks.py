"""What each process of a standstill is, how far it has come, and what it waits for: ranks beside each other. Pure."""

from __future__ import annotations

from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.hang.still_threads import StillThread
from harness.facts.last_event import last_event
from harness.model import Fact, Source
from probes import records
from probes.outside.progress.flight import read_ring
from probes.records import Row

IDLE = ("start", "torch", "end")  # records of a process that does not train


def facts(folder: TrialFolder, threads: list[StillThread], says: dict[int, str]) -> list[Fact]:
    """Return `hang_process`, one a process that was looked at, where there are more than one; `says`: by process."""
    mains = [thread for thread in threads if thread.is_main and not thread.is_helper]
    if len(mains) < 2:
        return []
    return [_fact(folder, thread, says[thread.process]) for thread in mains]


def _fact(folder: TrialFolder, thread: StillThread, says: str) -> Fact:
    place = place_of(folder, thread.process)
    rank, source = rank_of(folder, thread.process)
    flight = read_ring(folder.path / place / records.FLIGHT_RING, folder.path / place / records.FLIGHT_NAMES)
    trains = any(row.kind not in IDLE for row in flight)
    value: dict[str, Any] = {
        "process": thread.process, "rank": rank, "steps_done": flight[-1].done if trains else None,
        "step": flight[-1].step if trains else None, "at": str(last_event(flight)) if trains else None, "says": says,
    }  # fmt: skip
    ring = (folder.source(place + records.FLIGHT_RING, 1),) if flight else ()
    return Fact("hang_process", value, (*thread.sources, *ring, *source))


def place_of(folder: TrialFolder, pid: int) -> str:
    """Return the folder of a process within the trial's: "" for the observed one."""
    return "" if pid == folder.exit.get("pid") else f"{records.PROCESSES}/{pid}/"


def rank_of(folder: TrialFolder, pid: int) -> tuple[int | None, tuple[Source, ...]]:
    """Return a process' rank, as it told torch, or else as its environment says it; None where it has none."""
    name = place_of(folder, pid) + records.INSIDE
    groups = [row for row in group_rows(folder, pid) if isinstance(row.value.get("rank"), int)]
    known = [row for row in groups if row.value["rank"] >= 0]
    if known:
        return known[-1].value["rank"], (folder.source(name, known[-1].line),)
    born = records.read_json(folder.path / place_of(folder, pid) / records.PROCESS) or {}
    rank = str(born.get("ranks", {}).get("RANK", ""))
    place = folder.source(place_of(folder, pid) + records.PROCESS, 1)
    return (int(rank), (place,)) if rank.isdigit() else (None, ())


def group_rows(folder: TrialFolder, pid: int, event: str = "process group") -> list[Row]:
    """Return what one process recorded of its meetings with others."""
    rows = folder.lines(place_of(folder, pid) + records.INSIDE).rows
    return [row for row in rows if row.value.get("event") == event and row.value.get("pid", pid) == pid]


def uneven(found: list[Fact]) -> str | None:
    """Say that ranks are not at the same step; None where they are, or where fewer than two are known."""
    ranks = [fact.value for fact in found if fact.value["rank"] is not None and fact.value["step"] is not None]
    if len({(row["step"], row["steps_done"]) for row in ranks}) < 2:
        return None
    told = ", ".join(f"rank {row['rank']}: {row['at']}" for row in sorted(ranks, key=_rank))
    return f"the ranks are not at the same step ({told}): each waits for what another no longer does, or not yet"


def _rank(row: dict[str, Any]) -> int:
    rank: int = row["rank"]
    return rank
