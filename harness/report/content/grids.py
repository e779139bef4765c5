"""The trials by their cells, as grids: rows x columns, one grid for each combination of the remaining factors; pure."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from typing import Any

from harness import units
from harness.model import Evidence, Outcome, Trial
from harness.report.content.summary import SEVERITY, exit_word

NOT_RUN = "not run"
EVERY = "all trials"


@dataclasses.dataclass(frozen=True)
class Square:
    """The trials of one cell, without interventions."""

    trials: tuple[Trial, ...]

    @property
    def outcome(self) -> Outcome | None:
        """The gravest outcome, which colours the square; None where the cell was not run."""
        return next((outcome for outcome in SEVERITY if any(t.outcome is outcome for t in self.trials)), None)

    @property
    def lines(self) -> list[str]:
        """What the square says, a line each: e.g. "died 1/1", "SIGSEGV"."""
        tally = Counter(trial.outcome for trial in self.trials)
        found = [line for outcome in SEVERITY if tally[outcome] for line in self._about(outcome, tally[outcome])]
        return found or [NOT_RUN]

    def _about(self, outcome: Outcome, number: int) -> list[str]:
        words = dict.fromkeys(exit_word(trial.exit) for trial in self.trials if trial.outcome is outcome)
        names = list(words) if outcome in (Outcome.DIED, Outcome.UNRESOLVED) else []
        return [f"{outcome} {number}/{len(self.trials)}", *names]


@dataclasses.dataclass(frozen=True)
class Grid:
    """One picture of the matrix: `rows` and `columns` are labels like "threads=2", `title` names the other factors."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    squares: tuple[tuple[Square, ...], ...]


def of(evidence: Evidence) -> list[Grid]:
    """Return the grids; none where no trial was run."""
    trials = baseline(evidence)
    names = varying(trials)
    if not trials:
        return []
    row, column = (names[0], names[1]) if len(names) > 1 else ("", names[0] if names else "")
    rest = [_values(trials, name) for name in names[2:]]
    combinations = (dict(zip(names[2:], chosen, strict=True)) for chosen in itertools.product(*rest))
    return [_grid(trials, row, column, combination) for combination in combinations]


def baseline(evidence: Evidence) -> list[Trial]:
    """Return the trials in which nothing but the factors was changed."""
    return [trial for trial in evidence.trials if not trial.interventions]


def intervened(evidence: Evidence) -> list[Trial]:
    """Return the trials in which something else was changed on purpose."""
    return [trial for trial in evidence.trials if trial.interventions]


def varying(trials: list[Trial]) -> list[str]:
    """Return the factors that take more than one value, in the plan's order."""
    return [name for name in _names(trials) if len(_values(trials, name)) > 1]


def fixed(evidence: Evidence) -> str:
    """Return the factors that all cells share, e.g. "image_size=224"; "" where there is none."""
    trials = baseline(evidence)
    constant = [name for name in _names(trials) if len(_values(trials, name)) == 1]
    return ", ".join(f"{name}={_values(trials, name)[0]}" for name in constant)


def _names(trials: list[Trial]) -> list[str]:
    return list(dict.fromkeys(name for trial in trials for name in trial.factors))


def _values(trials: list[Trial], name: str) -> list[Any]:
    """Return a factor's values: numbers in their order, all else as they first came."""
    every = [trial.factors.get(name) for trial in trials]
    found = [value for place, value in enumerate(every) if value not in every[:place]]
    is_numeric = all(isinstance(value, int | float) for value in found)
    return sorted(found) if is_numeric else found


def _grid(trials: list[Trial], row: str, column: str, rest: dict[str, Any]) -> Grid:
    here = [trial for trial in trials if all(trial.factors.get(name) == value for name, value in rest.items())]
    rows, columns = _values(trials, row), _values(trials, column)
    squares = tuple(tuple(_square(here, {row: r, column: c}) for c in columns) for r in rows)
    title = ", ".join(f"{name}={units.factor(value)}" for name, value in rest.items())
    headers = _labels(column, columns) if column else ("",)
    return Grid(title, _labels(row, rows), headers, squares)


def _square(trials: list[Trial], at: dict[str, Any]) -> Square:
    return Square(tuple(t for t in trials if all(t.factors.get(name) == value for name, value in at.items())))


def _labels(name: str, values: list[Any]) -> tuple[str, ...]:
    return tuple(f"{name}={units.factor(value)}" for value in values) if name else (EVERY,)
