"""`harness run --repro REPORT`: run a report's repro five times on this machine, and compare how it dies."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.decide.statistics import Count
from harness.model import Cell, ConfigError
from harness.plan import plan_file as plan
from harness.plan.plan_file import Plan
from harness.report.user_errors import NO_EVIDENCE
from harness.shrink.place import likeness, repro
from harness.shrink.place.replays import End, Ended
from harness.shrink.place.sub_trials import Bench, replaying
from probes import records

WALL_SECONDS = 300.0
NO_FAILURE, NAMED, OPEN = 0, 1, 3


@dataclasses.dataclass(frozen=True)
class Rerun:
    """What became of the runs here. `there`: how often it died where the repro was made, and `death` how."""

    statement: str
    runs: tuple[Ended, ...]
    there: Count
    death: str
    cause_named: bool

    @property
    def here(self) -> Count:
        """How often it died here in the same way."""
        return Count(sum(run.end is End.SAME for run in self.runs), len(self.runs))

    @property
    def exit_code(self) -> int:
        """0: it survives here. 1: it dies of the same, whose cause the report names. 3: it dies. 4: it did not run."""
        ends = {run.end for run in self.runs}
        if End.SAME in ends:
            return NAMED if self.cause_named else OPEN
        if End.OTHERWISE in ends:
            return OPEN
        return NO_FAILURE if ends == {End.SURVIVED} else NO_EVIDENCE


def load(report: Path) -> dict[str, Any]:
    """Return a report's repro.json. Raises ConfigError where the report has none."""
    found = records.read_json(report / repro.FOLDER / repro.RECORD)
    if found is None:
        raise ConfigError(f"--repro {report}: there is no {repro.FOLDER}/{repro.RECORD} in this folder")
    return found


def run(report: Path, bench: Bench) -> Rerun:
    """Run the repro of `report` on `bench`, which lies elsewhere: a report's records are not added to."""
    told = load(report)
    read, cell = _what(report, told)
    runs = repro.run(bench, repro.FOLDER, cell, read, likeness.from_json(told["death"]) if told["death"] else None)
    verdict = (records.read_json(report / records.EVIDENCE) or {}).get("verdict", {})
    there = Count(told["failures"], told["trials"])
    how = (told["death"] or {}).get("described", "not known")
    return Rerun(told["statement"], runs, there, how, verdict.get("status") == "named")


def lines(again: Rerun) -> Iterator[str]:
    """Yield what the console says of it."""
    yield f"the repro: {again.statement}"
    yield f"there: died {again.there} times the same way ({again.death})"
    yield f"here:  died {again.here} times the same way"
    for row in again.runs:
        yield f"  {row.trial}: {row} ({row.source})"


def _what(report: Path, told: dict[str, Any]) -> tuple[Plan, Cell]:
    """Return the plan and the cell: the script's, else the target's own."""
    folder = report / repro.FOLDER
    if not told["standalone"]:
        read = plan.read(folder / repro.CONFIG, [])
        return read, read.baseline
    raw = {"target": {"command": [repro.SCRIPT]}, "limits": {"wall_seconds": WALL_SECONDS}}
    return replaying(plan.parse(raw, folder / repro.CONFIG), folder / repro.SCRIPT), Cell(())
