"""The order of trials against the fixed order before it: the same is decided, as surely, and sooner."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from functools import cache, partial

import fixed_order
import pytest
from simulated_inquests import GROUP, SHOWN, TRUTHS, Moment, Order, Truth, at, reached, run, watched
from test_next_trial import first, ran

from harness.decide import next_trial, study
from harness.decide.effects import Does
from harness.decide.interventions import ONE_THREAD
from harness.decide.offers import Step
from harness.model import Trial

State = tuple[int, int, int, int]  # deaths as it is, of trials; deaths under one thread, of trials
SURE = [truth for truth in TRUTHS if truth.rate == 1 and not truth.also]
CHANCY = [truth for truth in TRUTHS if truth not in SURE]
BUDGET = 300.0


@cache
def asked_after(order: Order, state: State) -> tuple[Step | None, Does]:
    """Return the next step after so many trials, and what is said of one thread so far."""
    failed, plain, failed_under, under = state
    as_is, at_one = Step(first().cell, ""), Step(first().cell, "", ONE_THREAD)
    trials: list[Trial] = [first(), *(ran(as_is, n, n <= failed) for n in range(2, plain + 1))]
    trials += [ran(at_one, n, n <= failed_under) for n in range(1, under + 1)]
    found = study.of(trials)
    assert found is not None
    step = order(tuple(trials), None)
    asks = step is not None and step.intervention in (None, ONE_THREAD)
    return step if asks else None, found.does(ONE_THREAD.id)


def chances(order: Order, rate: float, rate_under: float) -> dict[Does, float]:
    """Return how likely each answer to one thread is at the end; exactly, through every way that trials can fall."""
    ways: dict[State, float] = {(1, 1, 0, 0): 1.0}
    ends = dict.fromkeys(Does, 0.0)
    while ways:
        later: Counter[State] = Counter()
        for state, likely in ways.items():
            step, does = asked_after(order, state)
            ends[does] += likely if step is None else 0.0
            plain = step is not None and step.intervention is None
            share = rate if plain else rate_under
            for fails, part in ((1, share), (0, 1 - share)) if step else ():
                one = (fails, 1, 0, 0) if plain else (0, 0, fails, 1)
                later[tuple(a + b for a, b in zip(state, one, strict=True))] += likely * part  # type: ignore
        ways = dict(later)
    return ends


class TestExactly:
    """Every way in which the trials can fall out, for a procedure that looks after each and stops at what it sees."""

    def test_chance_is_taken_for_an_effect_in_less_than_a_twentieth(self) -> None:
        """At no rate is a target that does not care for threads found to be mended by one thread in 5 % of inquests."""
        rates = {percent: percent / 100 for percent in range(5, 100, 5)}
        likely = {name: chances(next_trial.next_step, rate, rate)[Does.REMOVES] for name, rate in rates.items()}
        assert max(likely.values()) < 0.05, {percent: round(value, 4) for percent, value in likely.items()}

    @pytest.mark.parametrize("mends", [False, True])
    def test_no_answer_is_likelier_or_less_likely(self, mends: bool) -> None:
        """Whether one thread is all the same to the target or mends it, at any rate: right and wrong as before."""
        for rate in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0):
            under = 0.0 if mends else rate
            now, before = (chances(order, rate, under) for order in (next_trial.next_step, fixed_order.next_step))
            assert now == pytest.approx(before, abs=1e-9), rate


def medians(runs: list[list[Moment]]) -> tuple[float, float, float]:
    """Return the median seconds to the verdict and to the end, and the median of trials."""
    verdicts, ends = [reached(one).seconds for one in runs], [one[-1].seconds for one in runs]
    return statistics.median(verdicts), statistics.median(ends), statistics.median(one[-1].trials for one in runs)


@cache
def both(truth: Truth, seed: int = 0) -> tuple[list[Moment], list[Moment]]:
    """Return one inquest in this order, and the same in the fixed one."""
    orders = (next_trial.next_step, fixed_order.next_step)
    now, before = (run(truth, order, random.Random(seed)) for order in orders)
    return now, before


class TestSimulated:
    """Whole inquests, of the truths that the controls plant."""

    @pytest.mark.parametrize("truth", SURE, ids=lambda truth: truth.id)
    def test_the_same_is_named_and_sooner(self, truth: Truth) -> None:
        """And nothing else on the way."""
        now, before = both(truth)
        assert now[-1].cause == before[-1].cause and now[-1].cause in truth.families
        assert {one.cause for one in now} <= {None, *truth.families}
        assert reached(now).seconds <= reached(before).seconds
        assert (now[-1].seconds, now[-1].trials) <= (before[-1].seconds, before[-1].trials)

    def test_the_median_and_the_budget(self) -> None:
        """Each as often as there are controls of its kind: half the time, fewer trials, more named in the budget."""
        runs = [both(truth) for truth in SURE for _ in range(truth.weight)]
        now, before = [one for one, _ in runs], [one for _, one in runs]
        assert medians(now)[0] <= 0.5 * medians(before)[0]
        assert medians(now)[2] <= 0.6 * medians(before)[2]
        within = [sum(at(one, BUDGET) is not None for one in which) for which in (now, before)]
        assert within[0] > within[1]

    @pytest.mark.parametrize("truth", SURE, ids=lambda truth: truth.id)
    def test_where_system_calls_are_followed_it_is_sooner_still(self, truth: Truth) -> None:
        """The same is named without the ladder, where memory had no way to act."""
        order = partial(next_trial.next_step, controls=(SHOWN,))
        seen, now = run(watched(truth), order, random.Random(0)), both(truth)[0]
        assert seen[-1].cause == now[-1].cause
        assert {one.cause for one in seen} <= {None, *truth.families}
        assert (reached(seen).seconds, seen[-1].trials) <= (reached(now).seconds, now[-1].trials)

    def test_hours_of_standstills_are_halved(self) -> None:
        """What takes a minute each is not repeated for nothing."""
        slow = [both(truth) for truth in SURE if truth.fails > 60 and not truth.removes]
        assert slow and all(reached(now).seconds <= 0.55 * reached(before).seconds for now, before in slow)

    @pytest.mark.parametrize("truth", CHANCY, ids=lambda truth: truth.id)
    def test_chance_names_no_more(self, truth: Truth) -> None:
        """The n-th trial of a kind is the same in both: so is what is named in the end, and no other cause ever is."""
        sooner = []
        for seed in range(8):
            now, before = (
                run(truth, order, random.Random(seed), each=False)[-1]
                for order in (next_trial.next_step, fixed_order.next_step)
            )
            assert now.cause in (None, *truth.families), seed
            assert truth.also or now.cause == before.cause, seed
            sooner.append(before.seconds - now.seconds)
        assert sum(sooner) >= 0

    def test_goes_on_alike_from_the_records(self) -> None:
        """The next step depends on the trials alone: asked twice, or after a resumption, it is the same."""
        trials = (first(),)
        while (step := next_trial.next_step(trials, GROUP)) is not None:
            assert step == next_trial.next_step(tuple(trials), GROUP)
            trials = (*trials, ran(step, len(trials) + 1, step.intervention is None))
        assert len(trials) > 10
