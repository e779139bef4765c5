"""Where in the matrix the failures lie; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.model import Cell, Trial
from harness.units import factor


def failing_region(trials: Sequence[Trial]) -> str | None:
    """Return e.g. "threads=2 and batch_size=4 or 8": the factor values that all failing cells share, and no other cell.

    None where nothing survived, nothing failed, or the failures do not lie in one such block of the matrix.
    """
    failing = {trial.cell for trial in trials if trial.outcome.is_failure}
    others = {trial.cell for trial in trials} - failing
    wanted = {name: _values(failing, name) for name in _names(trials)}
    telling = {name: values for name, values in wanted.items() if values != _values(failing | others, name)}
    if not failing or not telling or any(_inside(cell, telling) for cell in others):
        return None
    return " and ".join(f"{name}={' or '.join(map(factor, values))}" for name, values in telling.items())


def _names(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(name for trial in trials for name, _ in trial.cell.factors))


def _values(cells: set[Cell], name: str) -> list[Any]:
    return sorted({cell.as_dict().get(name) for cell in cells}, key=lambda value: (str(type(value)), value))


def _inside(cell: Cell, region: dict[str, list[Any]]) -> bool:
    return all(cell.as_dict().get(name) in values for name, values in region.items())
