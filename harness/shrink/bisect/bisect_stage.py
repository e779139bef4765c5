"""The stage of an inquest that shrinks a reproduced failure; each search leaves a record of its own.

The order is that of what each costs and tells: thresholds over the plan's factors, the place in the model with its
repro, the difference between two configurations, the samples. Interrupted or out of budget, each goes on where it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.decide.study import Study
from harness.launch.watch import KeepGoing
from harness.model import Cell, Trial
from harness.plan.bisect_section import Difference, Side
from harness.plan.plan_file import Plan
from harness.shrink.bisect import boundary, difference, needed_samples
from harness.shrink.bisect.boundary import RunCell
from harness.shrink.place import place_stage
from harness.shrink.place.sub_trials import Bench
from probes import records

FOLDER = "bisect"
THRESHOLDS, DIFFERENCE, SAMPLES = "thresholds.json", "difference.json", "samples.json"
REPRODUCED = 2  # deaths of the failing cell: a failure that was seen once may be another one the next time


@dataclasses.dataclass(frozen=True)
class Means:
    """What the stage may use: the inquest's folder, how to run a cell, whether a trial may begin, how it is watched."""

    root: Path
    plan: Plan
    run_cell: RunCell
    may_begin: Callable[[], bool]
    keep_going: KeepGoing
    say: Callable[[str], None]

    def bench(self, name: str) -> Bench:
        """Return the bench of one search, which runs no more trials than one search may."""
        left = iter(range(self.plan.bisect.most_trials))
        return Bench(self.root, name, lambda: self.may_begin() and next(left, None) is not None, self.keep_going)


def run(means: Means, study: Study, trials: tuple[Trial, ...]) -> None:
    """Run the searches that the plan asks for; nothing where the failure was not reproduced."""
    wishes = means.plan.bisect
    if study.without.failures < REPRODUCED or wishes.is_empty:
        return
    for search in _searches(means, study, trials):
        if means.may_begin():
            search()


def _searches(means: Means, study: Study, trials: tuple[Trial, ...]) -> Iterator[Callable[[], None]]:
    wishes = means.plan.bisect
    if wishes.thresholds:
        yield lambda: _thresholds(means, study, trials)
    if wishes.place:
        yield lambda: _place(means, study)
    wish = wishes.difference or _of_cells(study, trials)
    if wish:
        yield lambda: _difference(means, study, wish)
    if wishes.samples:
        yield lambda: _samples(means, study)


def _thresholds(means: Means, study: Study, trials: tuple[Trial, ...]) -> None:
    found = boundary.find(study, means.plan.factors, trials, means.run_cell, means.plan.bisect.most_trials)
    if found is not None:
        _keep(means, THRESHOLDS, found.as_row(), found.statement)


def _place(means: Means, study: Study) -> None:
    found, repro = place_stage.run(means.root, means.plan, study, means.may_begin, means.keep_going)
    means.say(f"place: {found.statement}")
    means.say(f"repro: {repro.statement}; died {repro.rate} times")


def _difference(means: Means, study: Study, wish: Difference) -> None:
    found = difference.find(means.plan, study, wish, means.bench(difference.FOLDER))
    row = {"schema": "inquest/difference/1", **found.as_row(), "packages": difference.packages(wish)}
    _keep(means, DIFFERENCE, row, found.statement)


def _samples(means: Means, study: Study) -> None:
    wish = means.plan.bisect.samples
    assert wish is not None
    found = needed_samples.find(means.plan, study, wish, means.bench(needed_samples.FOLDER))
    if not found:
        means.say(f"samples: {wish.file} has none")
        return
    rows = [one.as_row() for one in found]
    labels, statement = [label for row in rows for label in row["labels"]], needed_samples.statement(found)
    told = {"file": str(wish.file), "labels": labels, "statement": statement, "searches": rows}
    _keep(means, SAMPLES, {"schema": "inquest/samples/1", **told}, statement)


def _of_cells(study: Study, trials: tuple[Trial, ...]) -> Difference | None:
    """Return the difference between the failing cell and one that lived, where a factor has no order to search by."""
    plain = [trial for trial in trials if not trial.interventions]
    alive = [trial.cell for trial in plain if trial.outcome in ("completed", "stopped")]
    dead = {trial.cell for trial in plain if trial.outcome.is_failure}
    lived = [cell for cell in dict.fromkeys(alive) if cell not in dead and _has_words(study.cell, cell)]
    if not lived:
        return None
    nearest = min(lived, key=lambda cell: len(_apart(study.cell, cell)))
    return Difference(Side(), Side(cell=tuple((name, nearest.as_dict()[name]) for name in _apart(study.cell, nearest))))


def _apart(one: Cell, other: Cell) -> list[str]:
    values = other.as_dict()
    return [name for name, value in one.factors if values.get(name) != value]


def _has_words(one: Cell, other: Cell) -> bool:
    values = other.as_dict()
    return any(isinstance(value, (str, bool)) and values.get(name) != value for name, value in one.factors)


def _keep(means: Means, name: str, row: dict[str, Any], statement: str) -> None:
    folder = means.root / FOLDER
    folder.mkdir(exist_ok=True)
    records.write_json(folder / name, row)
    means.say(f"{name.removesuffix('.json')}: {statement}")


def rows(root: Path) -> dict[str, Any]:
    """Return what the searches of an inquest found, by name; only what there is a record of."""
    files = {
        "thresholds": f"{FOLDER}/{THRESHOLDS}", "difference": f"{FOLDER}/{DIFFERENCE}",
        "samples": f"{FOLDER}/{SAMPLES}", "place": f"{place_stage.FOLDER}/{place_stage.RECORD}",
        "repro": "repro/repro.json",
    }  # fmt: skip
    found = {name: records.read_json(root / file) for name, file in files.items()}
    return {name: {"record": files[name], **row} for name, row in found.items() if row is not None}
