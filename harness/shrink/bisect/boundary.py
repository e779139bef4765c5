"""The thresholds of a failure: where each ordered factor begins to make it die.

First over the values that the plan names, two factors together, then each factor between the neighbours of the corner
that was found, value by value: "threads >= 2 and batch_size >= 4" is then exact, and not just true of what was tried.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.decide.study import Study
from harness.model import Cell, Trial
from harness.shrink.bisect.same_failure import answer
from harness.shrink.search.answers import LEAST_CONFIDENCE, Answer, Isolation
from harness.shrink.search.grid import Axis, Grid
from harness.shrink.search.results import Thresholds
from harness.shrink.search.thresholds import thresholds

LOW_DIES = ("memory_limit_bytes",)  # less of it is harsher
AT_ONCE = 2  # factors that are searched together
Factors = Sequence[tuple[str, Sequence[Any]]]
RunCell = Callable[[Cell, str], Trial | None]


@dataclasses.dataclass(frozen=True)
class Boundary:
    """Where the failure begins: the searches in their order; the last word on a factor is that of the last one."""

    searches: tuple[Thresholds, ...]

    @property
    def confidence(self) -> float:
        """The product of the searches' confidences."""
        product = 1.0
        for search in self.searches:
            product *= search.confidence
        return product

    @property
    def isolation(self) -> Isolation:
        """The first search that did not isolate tells; else whether the whole is sure enough."""
        weak = next((one.isolation for one in self.searches if one.isolation is not Isolation.ISOLATED), None)
        sure = Isolation.ISOLATED if self.confidence >= LEAST_CONFIDENCE else Isolation.NOT_ISOLATED
        return weak or sure

    @property
    def corner(self) -> Cell | None:
        """The mildest cell that dies; None where there is more than one, or none."""
        corners = [search.corners for search in self.searches]
        return corners[-1][0] if corners and all(len(found) == 1 for found in corners) else None

    @property
    def conditions(self) -> str:
        """Return e.g. "threads >= 2 and batch_size >= 4"."""
        if self.corner is None:
            return " or ".join(search.conditions for search in self.searches[:1])
        words = dict(_conditions(self.searches, self.corner))
        return " and ".join(words.values()) or "every value that was tried"

    @property
    def statement(self) -> str:
        """Return the result in one sentence."""
        last = self.searches[-1]
        if last.isolation is not Isolation.ISOLATED:
            return last.statement
        spent = ", the budget is spent" if last.is_spent else ""
        sure = f"confidence {self.confidence:.3f}{spent}"
        if self.isolation is not Isolation.ISOLATED:
            return f"not isolated: {sure}; best so far: it dies at {self.conditions}"
        return f"it dies at {self.conditions}; {sure}"

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON types, the trace of each search with it."""
        return {
            "schema": "inquest/thresholds/1", "statement": self.statement, "conditions": self.conditions,
            "isolation": self.isolation.value, "confidence": self.confidence,
            "corner": self.corner.as_dict() if self.corner else None,
            "searches": [search.as_row() for search in self.searches],
        }  # fmt: skip


def _conditions(searches: Sequence[Thresholds], corner: Cell) -> Iterator[tuple[str, str]]:
    """Yield (factor, its condition); a later search of the same factor replaces what an earlier one said."""
    values = corner.as_dict()
    for search in searches:
        for axis in search.axes:
            if values[axis.name] != axis.ordered[0]:
                yield axis.name, axis.condition(values[axis.name])


def find(
    study: Study, factors: Factors, trials: Sequence[Trial], run_cell: RunCell, most_trials: int = 120
) -> Boundary | None:  # fmt: skip
    """Return the boundary over the plan's ordered factors; None where there is none of more than one value.

    `trials` are those that were run: none of them is run again. `run_cell` runs one more, None where none may begin;
    it is called `most_trials` times at most.
    """
    axes = [Axis(name, tuple(values), name in LOW_DIES) for name, values in factors if _is_ordered(values)]
    found: list[Thresholds] = []
    run_cell = _at_most(most_trials, run_cell)
    corner = study.cell
    for together in _groups(axes):
        if all(corner.as_dict().get(axis.name) in axis.values for axis in together):
            found.append(_search(study, corner, together, trials, run_cell))
            corner = found[-1].corners[0] if _is_clear(found[-1]) else corner
    for axis in axes if found and all(map(_is_clear, found)) else ():
        finer = _between(axis, corner.as_dict()[axis.name])
        if finer is not None:
            found.append(_search(study, corner, [finer], trials, run_cell))
            corner = found[-1].corners[0] if _is_clear(found[-1]) else corner
    return Boundary(tuple(found)) if found else None


def _at_most(most: int, run_cell: RunCell) -> RunCell:
    left = iter(range(most))
    return lambda cell, why: None if next(left, None) is None else run_cell(cell, why)


def _search(
    study: Study, failing: Cell, axes: Sequence[Axis], trials: Sequence[Trial], run_cell: RunCell
) -> Thresholds:
    log = [(trial.cell.id, answer(study, trial)) for trial in trials if not trial.interventions]

    def ask(cell: Cell) -> Answer | None:
        trial = run_cell(cell, f"bisect: where the failure begins, over {' and '.join(axis.name for axis in axes)}")
        return None if trial is None else answer(study, trial)

    return thresholds(failing, axes, ask, log)


def _is_clear(search: Thresholds) -> bool:
    return search.isolation is Isolation.ISOLATED and len(search.corners) == 1 and not search.is_spent


def _groups(axes: Sequence[Axis]) -> Iterator[list[Axis]]:
    """Yield the first two axes together, where that grid is not too large, then each further one alone."""
    pair = list(axes[:AT_ONCE])
    if len(pair) == AT_ONCE and Grid(Cell(tuple((axis.name, axis.values[0]) for axis in pair)), tuple(pair)).problems():
        pair = pair[:1]
    if pair:
        yield pair
    yield from ([axis] for axis in axes[len(pair) :])


def _is_ordered(values: Sequence[Any]) -> bool:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    return numbers and len(set(values)) > 1


def _between(axis: Axis, dying: Any) -> Axis | None:
    """Return the whole numbers from the next milder value to the dying one as an axis; None where none lies between."""
    milder = [value for value in axis.ordered[: axis.ordered.index(dying)]]
    if not milder or not isinstance(dying, int) or not isinstance(milder[-1], int):
        return None
    low, high = sorted((milder[-1], dying))
    step = max(1, (high - low) // MOST_VALUES)
    values = tuple(dict.fromkeys((*range(low, high, step), high)))
    return Axis(axis.name, values, axis.low_dies) if len(values) > 2 else None


MOST_VALUES = 1000  # of one axis: bytes of a memory limit are not told one by one
