"""What the reports show as long tables: the gaps, and the forward timings by cell; pure."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter

from harness import units
from harness.model import Evidence, ForwardTiming, Trial
from harness.report.content.grids import varying

COMPLETE = "Every probe gave its evidence."
TIMINGS_NOTE = "A cell of several trials shows the median of their medians and the highest of their p95."


@dataclasses.dataclass(frozen=True)
class Missing:
    """A gap, and all the trials and hypotheses that lack its evidence."""

    probe: str
    reason: str
    where: str


@dataclasses.dataclass(frozen=True)
class ForwardRow:
    """One call of one module in one cell, over all its trials. Times in seconds."""

    module: str
    call: int
    cell: str
    count: int
    unfinished: int
    median_seconds: float | None
    p95_seconds: float | None


def missing(evidence: Evidence) -> list[Missing]:
    """Return every gap once, with where its evidence is missing."""
    found: dict[tuple[str, str], list[str]] = {}
    for source in evidence.environment.get("sources") or []:
        if not source.get("available"):
            found.setdefault((str(source.get("name")), str(source.get("detail") or "not available")), [])
    for trial in evidence.trials:
        for gap in trial.gaps:
            found.setdefault((gap.probe, gap.reason), []).append(trial.id)
    for finding in evidence.hypotheses:
        for gap in finding.gaps:
            found.setdefault((gap.probe, gap.reason), []).append(finding.id)
    return [Missing(*key, _where(evidence, names)) for key, names in found.items()]


def nothing_missing(evidence: Evidence) -> str:
    """Return what to say where no gap is recorded."""
    return COMPLETE if evidence.trials else "No trial was run: no probe was asked."


def forward_rows(evidence: Evidence) -> list[ForwardRow]:
    """Return the forward timings by module, call and cell."""
    groups: dict[tuple[str, int, str], list[ForwardTiming]] = {}
    names = cell_names(evidence)
    for trial in evidence.trials:
        for timing in trial.forwards:
            groups.setdefault((timing.module, timing.call, names[trial.id]), []).append(timing)
    modules = list(dict.fromkeys(module for module, _, _ in groups))
    order = sorted(groups, key=lambda key: (modules.index(key[0]), key[1]))
    return [_forward_row(key, groups[key]) for key in order]


def times(row: ForwardRow | ForwardTiming) -> tuple[str, str]:
    """Return median and p95 as text; "-" where no forward ended."""
    found = (row.median_seconds, row.p95_seconds) if row.count else (None, None)
    median, p95 = ("-" if seconds is None else units.duration(seconds) for seconds in found)
    return median, p95


def has_repeats(evidence: Evidence) -> bool:
    """Whether a row of forward timings stands for several trials."""
    names = cell_names(evidence)
    tally = Counter(names[trial.id] for trial in evidence.trials if trial.forwards)
    return any(number > 1 for number in tally.values())


def cell_names(evidence: Evidence) -> dict[str, str]:
    """Return trial -> its cell and what was changed against it, e.g. "threads=2, batch_size=8 + oneDNN off".

    Factors that are the same in every trial are left out.
    """
    factors = varying(list(evidence.trials))
    return {trial.id: _cell_name(trial, factors) for trial in evidence.trials}


def _cell_name(trial: Trial, factors: list[str]) -> str:
    cell = ", ".join(f"{name}={value}" for name, value in trial.cell.factors if name in factors)
    return " + ".join([cell or trial.cell.id, *trial.interventions])


def _where(evidence: Evidence, names: list[str]) -> str:
    trials = [trial.id for trial in evidence.trials]
    hit = list(dict.fromkeys(name for name in names if name in trials))
    rest = list(dict.fromkeys(name for name in names if name not in trials))
    everywhere = [f"all {len(trials)} trials"] if len(hit) == len(trials) > 2 else hit
    return ", ".join([*everywhere, *rest]) or "this machine"


def _forward_row(key: tuple[str, int, str], timings: list[ForwardTiming]) -> ForwardRow:
    medians = [timing.median_seconds for timing in timings if timing.median_seconds is not None]
    highest = [timing.p95_seconds for timing in timings if timing.p95_seconds is not None]
    return ForwardRow(
        *key,
        count=sum(timing.count for timing in timings),
        unfinished=sum(timing.unfinished for timing in timings),
        median_seconds=statistics.median(medians) if medians else None,
        p95_seconds=max(highest, default=None),
    )
