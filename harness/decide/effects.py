"""What an intervention did to a failure: removes it, leaves it, or not decided; pure.

An intervention *removes* the failure when Fisher's exact test on failures without and with it gives p < 0.025 after
Holm's correction, and at least five trials were run under it. The correction goes over the interventions tried that can
decide a hypothesis; those that only inform are asked after them, and are corrected for all that were tried: a
gatekeeping order (Maurer, Hothorn and Lehmacher, 1995), in which a later question cannot undo an answer.

It *leaves* the failure when the same failure comes back at least three times under it: its factor is then no necessary
condition. Anything else is undecided, and says how many more trials would decide.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Collection, Mapping, Sequence

from harness.decide.statistics import Count, fisher, holm, interval, trials_to_decide
from harness.model import Trial

LEVEL = 0.025  # asked after each trial, this keeps an intervention without effect below 0.05 in all (test_order.py)
ENOUGH = 5  # trials under an intervention before it may be said to remove anything: the test is asked after each trial,
# and asked often enough it would say yes by chance
COMES_BACK = 3  # times the same failure must return under an intervention before its factor is ruled out


class Does(enum.StrEnum):
    """What an intervention does to a failure."""

    REMOVES = "removes"
    LEAVES = "leaves"
    UNDECIDED = "undecided"


@dataclasses.dataclass(frozen=True)
class Effect:
    """One intervention's trials against those without it, and what the test says. `more`: trials that would decide."""

    intervention: str
    without: Count
    with_: Count
    p: float
    corrected_p: float
    does: Does
    more: int | None

    def __str__(self) -> str:
        """Say it with its numbers."""
        low, high = interval(self.with_)
        numbers = f"failed {self.with_} with it (rate {low:.0%} to {high:.0%}), {self.without} without"
        test = f"Fisher p {self.p:.2g}, after Holm {self.corrected_p:.2g}"
        does = "not decided yet" if self.does is Does.UNDECIDED else f"{self.does} the failure"
        return f"{self.intervention}: {does}: {numbers}; {test}{self._hint()}"

    def _hint(self) -> str:
        if self.does is not Does.UNDECIDED:
            return ""
        return f"; {self.more} more trials without a failure would decide" if self.more else "; more trials are needed"


def effects(
    without: Sequence[Trial], under: Mapping[str, Sequence[Trial]], same: Callable[[Trial], bool],
    informing: Collection[str] = (),
) -> list[Effect]:  # fmt: skip
    """Return the effect of each intervention; `informing` names those that decide no hypothesis.

    `same` tells whether a trial died of the failure under inquest; a trial that failed differently counts neither as
    this failure nor as a survivor, and is left out.
    """
    base = count(without, same)
    counts = {name: count(trials, same) for name, trials in under.items()}
    values = {name: fisher(base, with_) for name, with_ in counts.items()}
    deciding = [name for name in counts if name not in informing]
    corrected = dict(zip(values, holm(list(values.values())), strict=True))
    corrected |= dict(zip(deciding, holm([values[name] for name in deciding]), strict=True))
    dies = {
        name: any(trial.outcome.is_failure and not same(trial) for trial in trials) for name, trials in under.items()
    }
    tests = {name: len(counts) if name in informing else len(deciding) for name in counts}
    return [
        _effect(name, base, with_, values[name], corrected[name], tests[name], dies[name])
        for name, with_ in counts.items()
    ]


def count(trials: Sequence[Trial], same: Callable[[Trial], bool]) -> Count:
    """Return how many of the trials that can be counted failed this way: unresolved and other failures are left out."""
    failed = sum(same(trial) for trial in trials)
    survived = sum(trial.outcome in ("completed", "stopped") for trial in trials)
    return Count(failed, failed + survived)


def _effect(
    name: str, without: Count, with_: Count, p: float, corrected: float, tests: int, dies_otherwise: bool
) -> Effect:
    removes = corrected < LEVEL and with_.trials >= ENOUGH and not dies_otherwise
    does = Does.LEAVES if with_.failures >= COMES_BACK else Does.REMOVES if removes else Does.UNDECIDED
    return Effect(name, without, with_, p, corrected, does, _more(without, with_, tests) if not removes else None)


def _more(without: Count, with_: Count, tests: int) -> int | None:
    """Return how many more trials without a failure would decide; None where none would, or nothing is open."""
    if with_.failures >= COMES_BACK:
        return None
    futures = trials_to_decide(without, with_, tests, LEVEL)
    return None if futures is None else max(futures, ENOUGH - with_.trials)
