"""Trial folder -> Trial: facts with their sources, gaps for what is missing. Pure: reads records, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.facts import (
    cpu_time,
    died_in_probe,
    forward_timings,
    gaps,
    point_of_death,
    printed_errors,
    target_settings,
    told_inside,
)
from harness.facts.crash import fault_place, faulting_stack, no_stack, signature
from harness.facts.ended import early_end, exit_calls, outcome, standstill_reported
from harness.facts.folder import TrialFolder
from harness.facts.hang import halted, lost_thread
from harness.facts.hang import kind as hangs
from harness.facts.memory import growth as memory_growth
from harness.facts.memory import headroom, kills_elsewhere, most_used, spoken
from harness.facts.memory import signs as memory_facts
from harness.facts.memory import use as memory
from harness.facts.processes import first_death, last_said, training_process, workers
from harness.facts.refused import held_at_end, last_words, limit_use, watched
from harness.facts.system import handled, refusals, senders
from harness.facts.threads import duplicate, python_threads
from harness.facts.threads import use as threading_facts
from harness.facts.threads.runtimes import runtimes
from harness.model import Cell, Fact, Trial
from probes import records
from probes.outside.progress.flight import FlightRecord

READERS: tuple[Callable[[TrialFolder], list[Fact]], ...] = (  # a new fact: its reader here
    memory.facts,
    memory_facts.facts,
    memory_growth.facts,
    headroom.facts,
    kills_elsewhere.facts,
    most_used.facts,
    spoken.facts,
    cpu_time.facts,
    target_settings.facts,
    told_inside.facts,
    runtimes,
    threading_facts.facts,
    duplicate.facts,
    python_threads.facts,
    workers.facts,
    exit_calls.facts,
    early_end.facts,
    fault_place.facts,
    no_stack.facts,
    faulting_stack.facts,
    died_in_probe.facts,
    halted.facts,
    lost_thread.facts,
    hangs.facts,
    printed_errors.facts,
    standstill_reported.facts,
    first_death.facts,
    refusals.facts,
    senders.facts,
    handled.facts,
    last_said.facts,
    last_words.facts,
    limit_use.facts,
    held_at_end.facts,
    watched.facts,
)


def read(root: Path, trial_id: str) -> Trial:
    """Read one trial of the inquest in `root`; its id is its path under `trials/`."""
    folder = TrialFolder(root, trial_id)
    own = folder.flight()
    place = training_process.place(folder, own)
    flight = training_process.flight_of(folder, place) if place else own
    ending = outcome.judge(folder, own, flight[-1].done if flight else 0)
    last = point_of_death.of(folder, place, flight, ending.outcome)
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
        forwards=forward_timings.summary(folder, place),
        signature=signature.of(folder, ending.exit, last, ending.outcome),
        facts=(*ending.facts, *facts),
        gaps=gaps.missing(folder, place),
    )


def _collect(folder: TrialFolder, flight: list[FlightRecord], place: str) -> tuple[Fact, ...]:
    facts = [fact for reader in READERS for fact in reader(folder)]
    ring = folder.source(place + records.FLIGHT_RING, 1)
    return (Fact("steps_done", flight[-1].done if flight else 0, (ring,)), *facts)
