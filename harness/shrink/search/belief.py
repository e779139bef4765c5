"""How probable each region of dying cells is after the trials so far; pure.

The failure rate is unknown, and the same in all of a region: it is integrated out in closed form, with the prior of
silence.py. A death rules out every region without its cell, at once and for good; survivors weigh against the regions
that hold their cells. Probabilistic bisection over such a posterior: Horstein, IEEE Trans. Information Theory 9, 1963;
Waeber, Frazier and Henderson, SIAM J. Control and Optimization 51, 2013. Theirs errs either way; this channel errs one
way alone, which is why a step asks one cell until it is settled instead of moving on after each answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from math import exp, lgamma, log
from operator import attrgetter

from harness.shrink.search.answers import Answer
from harness.shrink.search.survivors import PRIOR_DEATHS, PRIOR_SURVIVORS, STEP_ERROR

NEGLIGIBLE = 1e-9


@dataclasses.dataclass(slots=True)
class Candidate:
    """A region that may be the dying one: bit `cell` of `cells` says that the cell dies.

    `survivors` counts the trials of its cells that survived; `weight` is its probability.
    """

    cells: int
    prior: float
    survivors: int = 0
    weight: float = 0.0


class Belief:
    """A posterior over regions; `best` is the most probable one, None where no region explains the deaths."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        """Take the regions that are possible, and how probable each is before any trial."""
        self.candidates = list(candidates)
        self._deaths = 0
        self._weigh()

    def learn(self, cell: int, answer: Answer) -> None:
        """Take one answer into account; another failure says nothing."""
        if answer is Answer.DIES:
            self._deaths += 1
            self.candidates = [candidate for candidate in self.candidates if candidate.cells >> cell & 1]
        if answer is Answer.SURVIVES:
            for candidate in self.candidates:
                candidate.survivors += candidate.cells >> cell & 1
        self._weigh()

    def dies(self, cell: int) -> float:
        """Return how probable it is that a cell dies."""
        return sum(candidate.weight for candidate in self.candidates if candidate.cells >> cell & 1)

    @property
    def confidence(self) -> float:
        """How probable the best region is: by the chain rule, the product of what each step left sure."""
        return self.best.weight if self.best else 0.0

    def most_telling(self, cells: Sequence[int]) -> int | None:
        """Return the cell whose answer says most per trial; None where all of them are as good as known.

        What is gained is the entropy of "does it die?"; what is paid are the trials that a step is likely to take.
        """
        chances = {cell: self.dies(cell) for cell in cells}
        rate = sum(candidate.weight * self._rate(candidate) for candidate in self.candidates)
        gains = {cell: _entropy(chance) / _trials(chance, rate) for cell, chance in chances.items() if _is_open(chance)}
        return max(gains, key=gains.__getitem__, default=None)

    def _rate(self, candidate: Candidate) -> float:
        deaths = PRIOR_DEATHS + self._deaths
        return deaths / (deaths + PRIOR_SURVIVORS + candidate.survivors)

    def _weigh(self) -> None:
        """Weigh each region: prior times likelihood, Beta(deaths, survivors), so scaled that all add up to 1."""
        counts = {candidate.survivors for candidate in self.candidates}
        deaths = PRIOR_DEATHS + self._deaths
        logs = {count: lgamma(PRIOR_SURVIVORS + count) - lgamma(deaths + PRIOR_SURVIVORS + count) for count in counts}
        top = max(logs.values(), default=0.0)
        likelihoods = {count: exp(value - top) for count, value in logs.items()}
        total = sum(candidate.prior * likelihoods[candidate.survivors] for candidate in self.candidates)
        for candidate in self.candidates:
            candidate.weight = candidate.prior * likelihoods[candidate.survivors] / total
        self.best = max(self.candidates, key=_weight, default=None)


_weight = attrgetter("weight")


def _is_open(chance: float) -> bool:
    return NEGLIGIBLE < chance < 1.0 - NEGLIGIBLE


def _trials(chance: float, rate: float) -> float:
    """Return how many trials a step may take: 1 / rate to a death, log(error) / log(1 - rate) to a survivor."""
    silent = log(STEP_ERROR) / log(1.0 - min(rate, 0.95))
    return chance / rate + (1.0 - chance) * max(1.0, silent)


def _entropy(chance: float) -> float:
    return -chance * log(chance) - (1.0 - chance) * log(1.0 - chance)
