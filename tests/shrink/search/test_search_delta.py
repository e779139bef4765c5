"""The smallest set of differences that still dies, on thousands of simulated failures."""

from __future__ import annotations

import itertools
import random
from math import log2

import pytest
from simulated import CASES, RATES, Simulated, with_sets

from harness.shrink.search.answers import Answer, Isolation
from harness.shrink.search.delta import delta
from harness.shrink.search.results import Minimal

ENDLESS = 200_000  # trials that no search may need


def search(size: int, causes: list[set[int]], rate: float = 1.0, seed: object = 0) -> Minimal[int]:
    """Search `size` differences for one of the causes."""
    return delta(range(size), Simulated(with_sets(causes, rate), seed, ENDLESS))


def bisecting(result: Minimal[int]) -> int:
    """Return how many trials the search itself took: without the confirmation, the proof, and the look beyond."""
    return sum(asked.question.startswith("do these") for asked in result.trace)


class TestOneCause:
    """One difference is enough to die."""

    def test_takes_at_most_twice_log2_n_times_k_trials(self) -> None:
        """Each of the differences, of 2 to 64 of them: the cause, and the bound."""
        for size in range(2, 65):
            for cause in range(size):
                result = search(size, [{cause}])
                assert (Isolation.ISOLATED, (cause,)) == (result.isolation, result.minimal)
                assert bisecting(result) <= 2 * log2(size) * result.repeats

    @pytest.mark.parametrize("rate", [0.5, 0.2, 0.05])
    def test_keeps_the_bound_on_average_where_it_is_flaky(self, rate: float) -> None:
        """A wrong "survives" makes a single search longer; over 40 they take no more than the bound."""
        results = [search(64, [{case % 64}], rate, case) for case in range(40)]
        shares = [bisecting(result) / (2 * log2(64) * result.repeats) for result in results]
        assert sum(shares) / len(shares) <= 1
        assert sorted(shares)[30] <= 1

    def test_bound_holds_for_every_size(self) -> None:
        """The worst path, counted: a first half costs k at most, a second half 2 k; up to 12,000."""
        worst = [0, 0]
        for size in range(2, 12_001):
            worst.append(max(1 + worst[(size + 1) // 2], 2 + worst[size // 2]))
            assert worst[size] <= 2 * log2(size)

    def test_finds_one_bad_sample_of_twelve_thousand_pairs(self) -> None:
        """The minimal list is that sample; the order of samples is kept in every trial."""
        seen: list[tuple[int, ...]] = []
        trial = Simulated(with_sets([{7_777}], 1.0), 0)
        result = delta(range(12_000), lambda subset: (seen.append(subset), trial(subset))[1], label=lambda n: f"{n:05}")
        assert (result.minimal, result.another_cause) == ((7_777,), False)
        assert all(subset == tuple(sorted(subset)) for subset in seen)
        assert bisecting(result) <= 2 * log2(12_000) * result.repeats


class TestSeveralDifferences:
    """A cause of several differences together, and two causes."""

    def test_finds_every_pair_and_every_triple(self) -> None:
        """All of 7: the whole cause, nothing more, and no other cause."""
        for cause in [*itertools.combinations(range(7), 2), *itertools.combinations(range(7), 3)]:
            result = search(7, [set(cause)])
            assert (Isolation.ISOLATED, cause, False) == (result.isolation, result.minimal, result.another_cause)

    def test_is_1_minimal_where_causes_are_arbitrary(self) -> None:
        """A random rule, monotone or not: what is returned dies, and nothing of it can be left out."""
        for case in range(200):
            rng = random.Random(case)
            dying = {frozenset(range(8))} | {frozenset(rng.sample(range(8), rng.randrange(1, 8))) for _ in range(20)}
            result = delta(range(8), Simulated(lambda subset, dying=dying: float(frozenset(subset) in dying), case))
            minimal = frozenset(result.minimal)
            assert minimal in dying
            assert not any(minimal - {one} in dying for one in minimal)

    @pytest.mark.parametrize("rate", RATES)
    def test_is_right_as_often_as_it_says(self, rate: float) -> None:
        """One to three differences of 30: at least 97 % of the claims, and nearly all are claimed."""
        rng, right, claimed = random.Random(9), 0, 0
        for case in range(CASES[rate]):
            cause = set(rng.sample(range(30), rng.randrange(1, 4)))
            result = search(30, [cause], rate, case)
            claims = result.isolation is Isolation.ISOLATED and result.confidence >= 0.95
            claimed += claims
            right += claims and set(result.minimal) == cause
        assert claimed >= 0.95 * CASES[rate]
        assert right >= 0.97 * claimed

    @pytest.mark.parametrize("rate", RATES)
    def test_tells_that_another_cause_remains(self, rate: float) -> None:
        """Two samples each of which kill: one is returned, and the other is not kept silent."""
        rng, told = random.Random(4), 0
        for case in range(40):
            one, other = rng.sample(range(50), 2)
            result = search(50, [{one}, {other}], rate, case)
            assert len(result.minimal) == 1 or rate < 1
            told += result.another_cause is True and result.minimal in ((one,), (other,))
        assert told >= 0.85 * 40
        assert told == 40 or rate < 1

    def test_dies_without_any_difference(self) -> None:
        """Then none of them is the cause."""
        result = delta(range(5), lambda subset: Answer.DIES)
        assert (result.isolation, result.minimal, result.confidence) == (Isolation.ISOLATED, (), 1.0)
        assert "none of the differences is needed" in result.statement

    def test_never_dies(self) -> None:
        """Not reproduced; nothing is claimed."""
        result = delta(range(5), lambda subset: Answer.SURVIVES)
        assert (result.isolation, result.minimal, result.confidence) == (Isolation.NOT_REPRODUCED, (), 0.0)


class TestOtherFailures:
    """What is neither a death nor a survivor."""

    def test_are_never_mistaken_for_a_death(self) -> None:
        """Every set without the cause fails otherwise: the result holds it, and is as big as the claim is small."""
        whole = set(range(12))
        result = delta(
            range(12),
            lambda subset: Answer.DIES if {2, 9} <= set(subset) else Answer.OTHER if subset else Answer.SURVIVES,
        )
        assert {2, 9} <= set(result.minimal) <= whole
        assert result.isolation is Isolation.NOT_ISOLATED
        assert len(result.others) > 0

    def test_needed_context_is_kept(self) -> None:
        """Without difference 0 all fails otherwise: it is kept, the cause is found, and it is not called proven."""

        def trial(subset: tuple[int, ...]) -> Answer:
            if subset and 0 not in subset:
                return Answer.OTHER
            return Answer.DIES if 5 in subset else Answer.SURVIVES

        result = delta(range(8), trial)
        assert (result.minimal, result.isolation) == ((0, 5), Isolation.NOT_ISOLATED)
        assert result.another_cause is None


class TestInterruption:
    """Budgets and resuming."""

    @pytest.mark.parametrize("rate", [1.0, 0.3])
    def test_resumed_ends_as_if_it_had_not_been_interrupted(self, rate: float) -> None:
        """Cut anywhere: the same result, the same trace, and no trial twice."""
        rate_of = with_sets([{3, 17}], rate)
        tried: dict[str, tuple[int, ...]] = {}

        def name(subset: tuple[int, ...]) -> str:
            tried[repr(subset)] = subset
            return repr(subset)

        whole = delta(range(24), Simulated(rate_of, 1), name=name)
        for cut in range(0, len(whole.trace), 1 + len(whole.trace) // 20):
            first = delta(range(24), Simulated(rate_of, 1, cut), name=name)
            log = [asked.entry for asked in first.trace]
            trial = Simulated(rate_of, 1).after(log, tried)
            assert (cut, True) == (len(first.trace), first.is_spent)
            assert whole == delta(range(24), trial, log, name=name)
            assert trial.count == len(whole.trace)

    def test_best_so_far_has_died_and_is_not_called_isolated_before_it_is(self) -> None:
        """Over all budgets: what is returned holds the cause, shrinks, and is claimed only where it is minimal."""
        sizes = []
        for cut in range(1, 80):
            result = delta(range(24), Simulated(with_sets([{3, 17}], 1.0), 1, cut))
            sizes.append(len(result.minimal))
            assert {3, 17} <= set(result.minimal)
            assert result.isolation is not Isolation.ISOLATED or len(result.minimal) == 2
        assert sorted(sizes, reverse=True) == sizes
        assert (sizes[0], sizes[-1]) == (24, 2)

    def test_is_quick_to_give_up_thousands(self) -> None:
        """A budget spent at once leaves all 12,000, without confidence."""
        result = delta(range(12_000), Simulated(with_sets([{5}], 1.0), 0, 6))
        assert (
            len(result.minimal), result.confidence, result.another_cause, result.is_spent,
        ) == (12_000, 0.0, False, True)  # fmt: skip
