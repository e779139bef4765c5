"""`harness run --repro REPORT`: run a report's repro five times on this machine, and compare how it dies."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from harness import plan
from harness.model import Cell, ConfigError
from harness.place import likeness, repro
from harness.place.bench import Bench, replaying
from harness.place.repro import Run
from harness.plan import Plan
from harness.search.statistics import Count
from probes import records

WALL_SECONDS = 300.0


@dataclasses.dataclass(frozen=True)
class Rerun:
    """What became of the runs here. `there`: how often it died where the repro was made."""

    statement: str
    runs: tuple[Run, ...]
    there: Count
    cause_named: bool

    @property
    def here(self) -> Count:
        """How often it died here in the same way."""
        return Count(sum(run.follows for run in self.runs), len(self.runs))

    @property
    def failed(self) -> bool:
        """Whether any run died here, in whatever way."""
        return any(run.end != "survived" for run in self.runs)


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
    return Rerun(told["statement"], runs, Count(told["failures"], told["trials"]), verdict.get("status") == "named")


def _what(report: Path, told: dict[str, Any]) -> tuple[Plan, Cell]:
    """Return the plan and the cell: the script's, else the target's own."""
    folder = report / repro.FOLDER
    if not told["standalone"]:
        read = plan.read(folder / repro.CONFIG, [])
        return read, read.baseline
    raw = {"target": {"command": [repro.SCRIPT]}, "limits": {"wall_seconds": WALL_SECONDS}}
    return replaying(plan.parse(raw, folder / repro.CONFIG), folder / repro.SCRIPT), Cell(())
