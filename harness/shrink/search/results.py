"""What the two searches return: records, sentences, and JSON rows."""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, TypeVar

from harness.decide.statistics import Count
from harness.model import Cell
from harness.shrink.search.answers import LEAST_CONFIDENCE, Asked, Isolation
from harness.shrink.search.grid import Axis

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Where the failure begins.

    `corners` are the mildest cells that die, one for each cause that was seen; `confidence` is the probability that
    they, and no others, are. `rate` is how often the known dying cells died. `remarks` say what the checks saw,
    `others` are ids of trials that failed in another way. `is_spent`: no further trial was to be had, and this is the
    best so far.
    """

    axes: tuple[Axis, ...]
    isolation: Isolation
    corners: tuple[Cell, ...]
    confidence: float
    rate: Count
    remarks: tuple[str, ...]
    others: tuple[str, ...]
    is_spent: bool
    trace: tuple[Asked, ...]

    @property
    def conditions(self) -> str:
        """Return e.g. "threads >= 2 and batch_size >= 4"; causes are joined by "or"."""
        return " or ".join(self._condition(corner) for corner in self.corners) or "nothing tried"

    @property
    def statement(self) -> str:
        """Return the result in one sentence, with its confidence."""
        if self.isolation is Isolation.NOT_REPRODUCED:
            return f"not reproduced: the failing cell died in none of {len(self.trace)} trials"
        if self.isolation is Isolation.NOT_MONOTONE:
            return f"no boundary: {'; '.join(self.remarks)}; best guess: dies at {self.conditions}"
        sure = f"confidence {self.confidence:.3f}{', the budget is spent' if self.is_spent else ''}"
        if self.isolation is Isolation.NOT_ISOLATED:
            return (
                f"not isolated: {sure} (at least {LEAST_CONFIDENCE} is asked); best so far: dies at {self.conditions}"
            )
        return f"dies at {self.conditions}; {sure}"

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON types, its sentences and its trace with it."""
        row = _common(self) | {"conditions": self.conditions, "statement": self.statement}
        axes = [dataclasses.asdict(axis) | {"values": list(axis.values)} for axis in self.axes]
        return row | {
            "axes": axes,
            "corners": [corner.as_dict() for corner in self.corners],
            "remarks": [*self.remarks],
        }

    def _condition(self, corner: Cell) -> str:
        values = corner.as_dict()
        told = [axis for axis in self.axes if values[axis.name] != axis.ordered[0]]
        return " and ".join(axis.condition(values[axis.name]) for axis in told) or "every value tried"


@dataclasses.dataclass(frozen=True)
class Minimal(Generic[T]):
    """A smallest set of differences that still dies.

    `minimal` died; `confidence` is the probability that none of it can be left out (1-minimal). `labels` are its
    words. `repeats` is how often a set had to survive before it was called surviving. `another_cause`: what is left
    without `minimal` dies too; None where that was not decided. The rest is as in `Thresholds`.
    """

    isolation: Isolation
    minimal: tuple[T, ...]
    labels: tuple[str, ...]
    confidence: float
    rate: Count
    repeats: int
    another_cause: bool | None
    others: tuple[str, ...]
    is_spent: bool
    trace: tuple[Asked, ...]

    @property
    def statement(self) -> str:
        """Return the result in one sentence, with its confidence."""
        if self.isolation is Isolation.NOT_REPRODUCED:
            return f"not reproduced: with all differences it died in none of {len(self.trace)} trials"
        sure = f"confidence {self.confidence:.3f}{', the budget is spent' if self.is_spent else ''}"
        words = ", ".join(self.labels) or "none of the differences is needed"
        if self.isolation is Isolation.NOT_ISOLATED:
            return f"not isolated: {sure} (at least {LEAST_CONFIDENCE} is asked); smallest that died: {words}"
        another = "; another, independent cause remains: without these it dies too" if self.another_cause else ""
        return f"dies with: {words}; {sure}{another}"

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON types, its sentence and its trace with it; the differences by their labels."""
        row = _common(self) | {"labels": [*self.labels], "repeats": self.repeats, "another_cause": self.another_cause}
        return row | {"statement": self.statement}


def _common(result: Thresholds | Minimal[Any]) -> dict[str, Any]:
    return {
        "isolation": result.isolation.value, "confidence": result.confidence,
        "rate": dataclasses.asdict(result.rate), "is_spent": result.is_spent, "others": [*result.others],
        "trace": [asked.as_row() for asked in result.trace],
    }  # fmt: skip
