"""The order of trials that came before the agenda weighed them: all repeats first, then one change after the other.

Kept to be compared with (tests/bench/order.py, tests/decide/test_order.py): what is decided must be the same, sooner.
"""

from __future__ import annotations

from harness.decide import next_trial, offers, study
from harness.decide.effects import Does
from harness.decide.interventions import ONE_THREAD, PASSIVE_WAIT
from harness.decide.memory_ladder import countable_peak
from harness.decide.offers import Step
from harness.decide.study import Study
from harness.model import Trial
from harness.plan.intervention import Intervention


def next_step(trials: tuple[Trial, ...], confinement: str | None) -> Step | None:
    """Return the next trial: five deaths or twelve trials as it is, then each intervention until it is decided."""
    case = study.of(trials)
    if case is None:
        return next_trial.next_step(trials, confinement)
    if offers.is_observed(case):
        return None
    if len(case.plain) < offers.CONFIRM or (
        case.without.failures < offers.CONFIRM and len(case.plain) < offers.MOST_PLAIN
    ):
        return Step(case.cell, "does it fail again?")
    wanted = [*next_trial.wanted(case, confinement), *_pace(case)]
    return next((step for one in wanted if (step := _under(case, one, confinement))), None)


def _pace(case: Study) -> list[Intervention]:
    """Asked of every hang, also where one thread leaves it."""
    asked = case.reference.outcome == "hung" and case.reference.value("openmp_runtimes")
    return [PASSIVE_WAIT] if asked and case.does(ONE_THREAD.id) is Does.LEAVES else []


def _under(case: Study, one: Intervention, confinement: str | None) -> Step | None:
    done = case.under.get(one.id, ())
    if one.memory_share is not None:
        means = next_trial.ladder_means(case.reference, confinement)
        limit = int(one.memory_share * (countable_peak(case.reference, means) or 0))
        return None if done else Step(case.cell, "memory ladder", one, limit, means)
    is_decided = case.does(one.id) is not Does.UNDECIDED or len(done) >= offers.MOST_UNDER
    return None if is_decided else Step(case.cell, f"under {one.id}", one)
