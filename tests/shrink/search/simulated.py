"""Failures with a known cause and a known rate: what the searches are tried on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from harness.model import Cell
from harness.shrink.search.answers import Answer
from harness.shrink.search.grid import Axis

RATES = (1.0, 0.5, 0.2, 0.05)
CASES = {1.0: 200, 0.5: 120, 0.2: 80, 0.05: 60}  # the rarer the failure, the more trials a case takes
VALUES = (1, 2, 4, 8, 16, 32)
SQUARE = (Axis("threads", VALUES), Axis("batch_size", VALUES))
Corners = tuple[tuple[int, int], ...]


class Simulated:
    """A trial that dies at the rate that `rate_of` gives for its subject.

    The n-th trial of a subject always ends in the same way for a seed, in whichever order subjects are tried: so ends
    the search that was interrupted as the search that was not. After `budget` trials none may be had.
    """

    def __init__(self, rate_of: Callable[[Any], float], seed: object, budget: int | None = None) -> None:
        self._rate_of, self._seed, self._budget = rate_of, seed, budget
        self.tried: Counter[Any] = Counter()

    def __call__(self, subject: Any) -> Answer | None:
        """Return how one more trial of a subject ends."""
        if self.count == self._budget:
            return None
        self.tried[subject] += 1
        digest = hashlib.blake2b(f"{self._seed}/{subject}/{self.tried[subject]}".encode(), digest_size=8).digest()
        chance = int.from_bytes(digest, "big") / 2**64
        return Answer.DIES if chance < self._rate_of(subject) else Answer.SURVIVES

    def after(self, log: list[tuple[str, Answer]], subjects: dict[str, Any]) -> Simulated:
        """Take the trials of a log as had, and return this."""
        self.tried.update(subjects[name] for name, _ in log)
        return self

    @property
    def count(self) -> int:
        """How many trials were had."""
        return sum(self.tried.values())


def in_square(corners: Corners, rate: float) -> Callable[[Cell], float]:
    """Return the rate of a cell of the 6x6 matrix that dies from these corners on."""

    def rate_of(cell: Cell) -> float:
        ranks = [VALUES.index(value) for value in cell.as_dict().values()]
        return rate * any(ranks[0] >= first and ranks[1] >= second for first, second in corners)

    return rate_of


def square_cell(place: tuple[int, int]) -> Cell:
    """Return the cell of the 6x6 matrix at a place."""
    return Cell((("threads", VALUES[place[0]]), ("batch_size", VALUES[place[1]])))


def on_line(dies: Callable[[int], bool], rate: float) -> Callable[[Cell], float]:
    """Return the rate of a cell whose one factor is `x`."""
    return lambda cell: rate * dies(cell.as_dict()["x"])


def with_sets(causes: list[set[int]], rate: float) -> Callable[[tuple[int, ...]], float]:
    """Return the rate of a subset: it dies where it holds all of one cause."""
    return lambda subset: rate * any(cause <= set(subset) for cause in causes)
