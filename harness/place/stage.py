"""The stage of an inquest that finds the place: capture the dying call, replay it, narrow it down, write place.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.folder import TrialFolder
from harness.model import Outcome, Source
from harness.place import capture, decide, likeness, narrow
from harness.place.bench import Bench, Ran
from harness.place.decide import Place
from harness.place.likeness import Death
from harness.place.replays import Replays, Subject, repeats
from harness.plan import Plan
from harness.study import Study
from probes import records

FOLDER = "place"
RECORD = "place.json"


def find(root: Path, plan: Plan, study: Study, bench: Bench, values: bool = False) -> tuple[Place, Subject | None]:
    """Return where the failure under inquest dies, and what was replayed; place.json says the same, with its sources.

    `root` is the inquest's folder; `bench` runs the trials, in `place/` of it. `values`: record the values of the
    module's inputs too, and of the operator's that it dies in.
    """
    place, subject = _find(root, plan, study, bench, values)
    records.write_json(bench.folder / RECORD, decide.as_json(place))
    return place, subject


def _find(root: Path, plan: Plan, study: Study, bench: Bench, values: bool) -> tuple[Place, Subject | None]:
    last = study.reference.last_event
    if last is None or last.module is None:
        return decide.unknown(f"it died in {last or 'an unknown phase'}, and only a module's forward is captured"), None
    if not (study.reference.exit.signal or study.reference.exit.ntstatus) or study.reference.outcome is Outcome.HUNG:
        return decide.unknown(f"only a crash is replayed, and this is: {study.reference.exit.meaning}"), None
    death = likeness.of(TrialFolder(root, study.reference.id), study.reference)
    wanted = {"module": last.module, "call": last.call, "step": last.step, "values": values}
    ran, reason = _captured(study, plan, bench, death, wanted)
    found = capture.read(ran.folder) if ran and not reason else None
    if ran is None or found is None:
        return decide.unknown(reason or f"{last} was not reached again", _sources(ran)), None
    if values and found.open_operator:
        ran, found = _with_values(study, plan, bench, death, wanted, ran, found)
    subject = Subject(plan, study.cell, found, death, study.without)
    replays = Replays(bench, subject, ran.trial.id)
    begun = found.open_operator.number if found.open_operator else None
    narrowed = narrow.narrow(len(found.operators), begun, replays.dies)
    return decide.decide(subject, ran.death, narrowed, replays.asked, ran.trial.id, bench.folder.name), subject


def _captured(
    study: Study, plan: Plan, bench: Bench, death: Death | None, wanted: Mapping[str, object], name: str = "capture"
) -> tuple[Ran | None, str]:
    """Run the cell under capture until it dies as before; return that trial, or the last one and why it will not do."""
    ran = None
    for number in range(1, repeats(study.without) + 1):
        ran = bench.run(f"{name}/{number}", study.cell, plan, wanted)
        if ran is None:
            return None, "no further trial may begin"
        if likeness.compare(death, ran.death).follows:
            return ran, ""
    other = ran.death if ran else None
    how = f"died in another way: {other}" if other else "did not die"
    return ran, f"under capture, which runs each operator through Python, the cell {how} ({number} trials)"


def _with_values(
    study: Study, plan: Plan, bench: Bench, death: Death | None, wanted: Mapping[str, object], ran: Ran,
    found: capture.Capture,
) -> tuple[Ran, capture.Capture]:  # fmt: skip
    """Capture once more, now with the values that the operator meets in which it dies: only then are they known."""
    assert found.open_operator is not None
    again, reason = _captured(
        study, plan, bench, death, {**wanted, "values_of": [found.open_operator.number]}, "capture-values"
    )
    better = capture.read(again.folder) if again and not reason else None
    same = better and better.open_operator and better.open_operator.name == found.open_operator.name
    return (again, better) if again and better and same else (ran, found)


def _sources(ran: Ran | None) -> tuple[Source, ...]:
    return (ran.source,) if ran else ()


def open_bench(root: Path, may_begin: Callable[[], bool], keep_going: Callable[..., bool]) -> Bench:
    """Return the bench of an inquest's place."""
    return Bench(root, FOLDER, may_begin, keep_going)
