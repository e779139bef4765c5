"""What one more trial is worth: how far it is expected to bring a decision, and how long it is expected to last; pure.

The exact tests (effects.py) need so many equal deaths under a change, or so many survivors. The *information* of one
trial is the share of the way to a decision that it is expected to go: over its two outcomes, how likely each is,
divided by how many of that outcome are still missing. The estimates here choose an order and nothing else: what is
decided, and how surely, the tests alone say.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable

from harness.decide.effects import COMES_BACK, ENOUGH
from harness.decide.interventions import rung_share
from harness.decide.statistics import Count
from harness.decide.study import Study
from harness.model import Trial

BACK = 0.05  # how likely the failure is thought to come under a change that removes it
UNKNOWN_SECONDS = 1.0  # where no trial says how long it took, all are alike


@dataclasses.dataclass(frozen=True)
class Pace:
    """How long trials of a cell last: those that fail as it does, and those that live, in seconds."""

    fails_seconds: float
    lives_seconds: float

    def expected_seconds(self, failing: float) -> float:
        """Return how long a trial lasts that is that likely to fail."""
        return failing * self.fails_seconds + (1.0 - failing) * self.lives_seconds


def pace(case: Study) -> Pace:
    """Return the pace of a failing cell; a survivor, of which none is known yet, lasts as long as the longest death."""
    trials = [*case.plain, *(trial for rows in case.under.values() for trial in rows)]
    fails = _seconds(trial for trial in trials if case.is_same(trial))
    lives = _seconds(trial for trial in trials if trial.outcome in ("completed", "stopped"))
    longest = max(fails, default=UNKNOWN_SECONDS)
    return Pace(statistics.median(fails or [longest]), statistics.median(lives or [longest]))


def _seconds(trials: Iterable[Trial]) -> list[float]:
    return [float(seconds) for trial in trials if (seconds := trial.value("duration_seconds"))]


def failing(count: Count) -> float:
    """Return how likely the next trial fails. The first death began it all: nearly sure, until one is survived."""
    return (count.failures + 1.0) / (count.trials + 1.5)


def under(case: Study, intervention: str) -> Count:
    """Return how often the failure came under an intervention, of the trials that count."""
    effect = case.effects.get(intervention)
    return effect.with_ if effect else Count(0, 0)


def lived(case: Study, intervention: str) -> int:
    """Return how many trials lived under an intervention."""
    count = under(case, intervention)
    return count.trials - count.failures


def removing(case: Study, intervention: str) -> float:
    """Return how probable it is that an intervention removes the failure, at even odds before its first trial."""
    rate, died = failing(case.without), under(case, intervention).failures
    odds = (1.0 / (1.0 - rate)) ** lived(case, intervention) * (BACK / rate) ** died
    return odds / (1.0 + odds)


def failing_under(case: Study, intervention: str) -> float:
    """Return how likely the next trial under an intervention fails."""
    removes = removing(case, intervention)
    return removes * BACK + (1.0 - removes) * failing(case.without)


def of_change(case: Study, intervention: str) -> float:
    """Return the information of one more trial under an intervention that is not decided."""
    likely = failing_under(case, intervention)
    died = missing_deaths(case, intervention)
    return likely / died + (1.0 - likely) / missing_survivors(case, intervention)


def missing_deaths(case: Study, intervention: str) -> int:
    """Return how many more equal deaths under an intervention show that it leaves the failure."""
    return max(1, COMES_BACK - under(case, intervention).failures)


def missing_survivors(case: Study, intervention: str) -> int:
    """Return how many more survivors under an intervention, at least, may show that it removes the failure."""
    return max(1, ENOUGH - lived(case, intervention))


def of_repeat(case: Study, deaths: int, matters: float) -> float:
    """Return the information of one more trial of the cell as it is, so that it has failed that often.

    `matters` is how probable it is that these deaths are needed at all.
    """
    return matters * failing(case.without) / max(1, deaths - case.without.failures)


def survived(case: Study) -> list[str]:
    """Return the interventions that trials lived under and that are not known to leave the failure.

    Whether one removes it is a question of how often the cell fails without. Rungs are no such question.
    """
    tried = (name for name in case.effects if rung_share(name) is None)
    return [name for name in tried if lived(case, name) and under(case, name).failures < COMES_BACK]


def has_come_again(case: Study) -> bool:
    """Whether the failure came a second time, be it under a change."""
    under_changes = (trial for rows in case.under.values() for trial in rows)
    return sum(map(case.is_same, (*case.plain, *under_changes))) > 1
