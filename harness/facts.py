"""Trial folder -> Trial: facts with their sources, gaps for what is missing. Pure: reads records, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness import (
    cpu,
    endings,
    exits,
    fault,
    hangs,
    headroom,
    leading,
    memory,
    memory_facts,
    memory_growth,
    observer,
    processes,
    settings,
    signature,
    threading_facts,
    timings,
    workers,
)
from harness.crash_stacks import crash
from harness.folder import TrialFolder
from harness.last_events import last_event
from harness.model import Cell, Fact, Gap, Trial
from harness.runtimes import runtimes
from probes import records
from probes.outside.flight import FlightRecord

ERROR_KEYS = ("type", "message", "thread", "is_main", "errno", "filename", "bases")


def read(root: Path, trial_id: str) -> Trial:
    """Read one trial of the inquest in `root`; its id is its path under `trials/`."""
    folder = TrialFolder(root, trial_id)
    own = folder.flight()
    place = leading.place(folder, own)
    flight = leading.flight_of(folder, place) if place else own
    last = last_event(flight)
    ending = endings.judge(folder, own, flight[-1].done if flight else 0)
    spec = folder.spec
    facts = _collect(folder, flight, place)
    return Trial(
        id=trial_id,
        cell=Cell(tuple(spec.get("factors", {}).items())),
        interventions=tuple(spec.get("interventions", ())),
        outcome=ending.outcome,
        exit=ending.exit,
        last_event=last,
        peak_rss_bytes=next((fact.value for fact in facts if fact.name == "peak_rss_bytes"), None),
        forwards=timings.summary(folder, place),
        signature=signature.of(folder, ending.exit, last, ending.outcome),
        facts=(*ending.facts, *facts),
        gaps=_gaps(folder, place),
    )


def _collect(folder: TrialFolder, flight: list[FlightRecord], place: str) -> tuple[Fact, ...]:
    readers: tuple[Callable[[TrialFolder], list[Fact]], ...] = (
        memory.facts, memory_facts.facts, memory_growth.facts, headroom.facts, cpu.facts, settings.facts, _torch,
        runtimes, threading_facts.facts, _errors, workers.facts, exits.facts, fault.facts, crash.facts,
        observer.facts, hangs.facts, processes.facts, _silenced,
    )  # fmt: skip
    facts = [fact for reader in readers for fact in reader(folder)]
    ring = folder.source(place + records.FLIGHT_RING, 1)
    return (Fact("steps_done", flight[-1].done if flight else 0, (ring,)), *facts)


def _torch(folder: TrialFolder) -> list[Fact]:
    rows = [row for row in folder.lines(records.INSIDE).rows if row.value.get("event") == "torch"]
    return [Fact("torch_version", row.value["version"], (folder.source(records.INSIDE, row.line),)) for row in rows[:1]]


def _silenced(folder: TrialFolder) -> list[Fact]:
    """Return `own_signals_forbidden`: whether the trial is known to have had no power to send a deadly signal."""
    rows = [row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "own signals forbidden"]
    return [
        Fact("own_signals_forbidden", row.value["applied"], (folder.source(records.INSIDE, row.line),)) for row in rows
    ]


def _errors(folder: TrialFolder) -> list[Fact]:
    return [
        Fact(
            "python_error",
            {key: row.value.get(key) for key in ERROR_KEYS},
            (folder.source(records.PYTHON_ERROR, row.line),),
        )
        for row in folder.own_lines(records.PYTHON_ERROR)
    ]


def _gaps(folder: TrialFolder, place: str) -> tuple[Gap, ...]:
    told = [Gap(row.value["probe"], row.value["reason"]) for row in folder.lines(records.GAPS).rows]
    told += [
        Gap(row.value["probe"], row.value["reason"])
        for row in folder.lines(records.INSIDE).rows
        if row.value.get("event") == "gap"
    ]
    names = (records.MEMORY, records.FORWARDS, records.EXITS, records.INSIDE)
    torn = [Gap(name, "the last line is torn: the writer died in it") for name in names if folder.lines(name).tail]
    if not folder.exit:
        told.append(Gap("exit", "exit.json is missing: the supervisor did not see the end of this trial"))
    if not folder.lines(place + records.FORWARDS).rows:
        told.append(
            Gap("forwards", "no module forward was seen: no torch module ran, or the trial ended before the first")
        )
    return tuple(told + torn + processes.gaps(folder))
