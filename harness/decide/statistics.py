"""Exact statements about failure rates; pure, and no approximation where trials are few."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from math import comb

CONFIDENCE = 0.95
MOST_TRIALS = 200  # how far ahead `trials_to_decide` looks


@dataclasses.dataclass(frozen=True)
class Count:
    """How often something failed: `failures` of `trials`."""

    failures: int
    trials: int

    @property
    def rate(self) -> float:
        """The share that failed; 0 of 0 is 0."""
        return self.failures / self.trials if self.trials else 0.0

    def __str__(self) -> str:
        """Return "3 of 5"."""
        return f"{self.failures} of {self.trials}"


def rate_below(trials: int, confidence: float = CONFIDENCE) -> float:
    """Return the rate below which the true failure rate lies after no failure in `trials` independent trials.

    The exact (Clopper-Pearson, one-sided) bound: 1 - (1 - confidence) ** (1 / trials); 1.0 for no trials.
    """
    return 1.0 - (1.0 - confidence) ** (1.0 / trials) if trials else 1.0


def interval(count: Count, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact two-sided interval of a failure rate (Clopper and Pearson, Biometrika 26, 1934)."""
    tail = (1.0 - confidence) / 2.0
    failures, trials = count.failures, count.trials
    low = _rate_where(lambda rate: 1.0 - binomial_at_most(failures - 1, trials, rate), tail) if failures else 0.0
    high = _rate_where(lambda rate: -binomial_at_most(failures, trials, rate), -tail) if failures < trials else 1.0
    return low, high


def binomial_at_most(most: int, trials: int, rate: float) -> float:
    """Return the probability of at most `most` failures in `trials` at a true rate of `rate`."""
    return sum(comb(trials, k) * rate**k * (1.0 - rate) ** (trials - k) for k in range(most + 1))


def fisher(without: Count, with_: Count) -> float:
    """Return the one-sided p of Fisher's exact test: how likely so many of the failures fall into `without` by chance.

    `without` counts the trials without an intervention, `with_` those under it; a small p says: it removes failures.
    Source: Fisher, The Design of Experiments, 1935: the hypergeometric tail with all margins fixed.
    """
    failures, trials = without.failures + with_.failures, without.trials + with_.trials
    ways = comb(trials, failures)
    at_least = range(without.failures, min(failures, without.trials) + 1)
    return sum(comb(without.trials, k) * comb(with_.trials, failures - k) for k in at_least) / ways


def holm(values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number, in their order (Holm, Scandinavian Journal of Statistics 6, 1979)."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected = [0.0] * len(values)
    worst = 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = worst
    return corrected


def trials_to_decide(without: Count, with_: Count, tests: int = 1, level: float = 0.05) -> int | None:
    """Return how many more trials under the intervention would decide, were none of them to fail; None past 200.

    `tests` is the number of interventions tried: the strictest share of Holm's correction is asked.
    """
    futures = (
        more
        for more in range(MOST_TRIALS + 1)
        if tests * fisher(without, Count(with_.failures, with_.trials + more)) < level
    )
    return next(futures, None)


def _rate_where(rising: Callable[[float], float], target: float) -> float:
    """Return the rate at which a rising function reaches the target, by bisection to the last bit that matters."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2.0
