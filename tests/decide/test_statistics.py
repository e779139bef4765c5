"""Exact statements about failure rates."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import pytest

from harness.decide.statistics import (
    MOST_TRIALS,
    Count,
    binomial_at_most,
    fisher,
    holm,
    interval,
    rate_below,
    trials_to_decide,
)

COUNTS = [Count(failures, trials) for trials in range(13) for failures in range(trials + 1)]


class TestRateBelow:
    """The bound after no failure in n trials."""

    @pytest.mark.parametrize(
        ("trials", "expected"), [(0, 1.0), (1, 0.95), (2, 0.776393), (5, 0.450720), (59, 0.0495088), (299, 0.0099692)]
    )
    def test_known_values(self, trials: int, expected: float) -> None:
        """1 - 0.05 ** (1 / n): 59 trials are what it takes to go below 5 %."""
        assert expected == pytest.approx(rate_below(trials), rel=1e-4)

    @pytest.mark.parametrize("trials", [1, 3, 10, 100])
    def test_is_the_rate_at_which_silence_has_the_chance_left(self, trials: int) -> None:
        """At the bound, no failure in n trials happens with probability 1 - confidence."""
        for confidence in (0.5, 0.95, 0.99):
            assert 1 - confidence == pytest.approx((1 - rate_below(trials, confidence)) ** trials)

    def test_falls_with_each_trial(self) -> None:
        """More trials never allow a higher rate."""
        bounds = [rate_below(trials) for trials in range(200)]
        assert sorted(bounds, reverse=True) == bounds


class TestCount:
    """Failures of trials."""

    def test_rate_and_words(self) -> None:
        """The share that failed; nothing tried is a rate of 0."""
        assert (Count(3, 5).rate, str(Count(3, 5))) == (0.6, "3 of 5")
        assert (Count(0, 0).rate, str(Count(0, 0))) == (0.0, "0 of 0")


class TestInterval:
    """Clopper and Pearson's two-sided interval."""

    @pytest.mark.parametrize(
        ("count", "low", "high"),
        [
            (Count(0, 5), 0.0, 0.5218), (Count(5, 5), 0.4782, 1.0), (Count(3, 10), 0.0667, 0.6525),
            (Count(1, 1), 0.025, 1.0), (Count(0, 1), 0.0, 0.975), (Count(5, 10), 0.1871, 0.8129),
            (Count(0, 0), 0.0, 1.0),
        ],
    )  # fmt: skip
    def test_known_values(self, count: Count, low: float, high: float) -> None:
        """The values of the printed tables."""
        assert (low, high) == pytest.approx(interval(count), abs=5e-5)

    @pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
    def test_each_end_has_half_of_the_chance_left(self, confidence: float) -> None:
        """At either end what was seen, or more extreme, has a probability of (1 - confidence) / 2."""
        for count in COUNTS:
            low, high = interval(count, confidence)
            at_least = 1 - binomial_at_most(count.failures - 1, count.trials, low)
            at_most = binomial_at_most(count.failures, count.trials, high)
            assert 0 <= low <= count.rate <= high <= 1 or count.trials == 0
            assert count.failures == 0 or (1 - confidence) / 2 == pytest.approx(at_least)
            assert count.failures == count.trials or (1 - confidence) / 2 == pytest.approx(at_most)

    def test_mirrors_survivors(self) -> None:
        """The interval of the survivors is that of the failures, turned round."""
        for count in COUNTS:
            low, high = interval(count)
            mirrored = interval(Count(count.trials - count.failures, count.trials))
            assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)

    def test_covers_the_true_rate_as_often_as_it_says(self) -> None:
        """At each true rate, the counts whose interval holds it have together at least 95 %."""
        for trials, percent in itertools.product(range(1, 13), range(2, 100, 4)):
            rate = percent / 100
            chances = [comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(trials + 1)]
            ends = [interval(Count(k, trials)) for k in range(trials + 1)]
            covered = sum(chance for chance, (low, high) in zip(chances, ends, strict=True) if low <= rate <= high)
            assert covered >= 0.95 - 1e-9, (trials, rate)


class TestBinomial:
    """The probability of at most so many failures."""

    def test_agrees_with_exact_fractions(self) -> None:
        """Thousands of values against whole-number arithmetic."""
        for count, tenths in itertools.product(COUNTS, range(11)):
            rate = Fraction(tenths, 10)
            terms = [
                comb(count.trials, k) * rate**k * (1 - rate) ** (count.trials - k) for k in range(count.failures + 1)
            ]
            assert float(sum(terms)) == pytest.approx(binomial_at_most(count.failures, count.trials, tenths / 10))

    def test_fewer_than_none_is_impossible(self) -> None:
        """At most -1 failures: never."""
        assert binomial_at_most(-1, 5, 0.3) == 0


class TestFisher:
    """One-sided: does the intervention remove failures?"""

    @pytest.mark.parametrize(
        ("without", "with_", "p"),
        [
            (Count(5, 5), Count(0, 5), 1 / 252), (Count(5, 5), Count(0, 2), 1 / 21), (Count(5, 5), Count(0, 1), 1 / 6),
            (Count(5, 12), Count(0, 12), 792 / 42504), (Count(3, 4), Count(1, 4), 17 / 70),
            (Count(5, 5), Count(0, 0), 1.0), (Count(0, 0), Count(0, 0), 1.0), (Count(0, 5), Count(5, 5), 1.0),
            (Count(5, 5), Count(5, 5), 1.0), (Count(0, 5), Count(0, 5), 1.0),
        ],
    )  # fmt: skip
    def test_known_values(self, without: Count, with_: Count, p: float) -> None:
        """Whole numbers over whole numbers; the lady's four cups of tea among them."""
        assert p == pytest.approx(fisher(without, with_))

    def test_is_a_probability_and_two_tails_share_one_table(self) -> None:
        """On all pairs up to 12 trials: within (0, 1], and the two one-sided values overlap in what was seen."""
        for one, other in itertools.product(COUNTS, COUNTS):
            there, back = fisher(one, other), fisher(other, one)
            seen = comb(one.trials, one.failures) * comb(other.trials, other.failures)
            ways = comb(one.trials + other.trials, one.failures + other.failures)
            assert 0 < there <= 1 + 1e-12
            assert 1 + seen / ways == pytest.approx(there + back)

    def test_survivor_never_weakens_and_failure_never_strengthens(self) -> None:
        """One more survivor under the intervention lowers p or leaves it; one more failure raises it or leaves it."""
        for without, with_ in itertools.product(COUNTS, COUNTS):
            p = fisher(without, with_)
            assert fisher(without, Count(with_.failures, with_.trials + 1)) <= p + 1e-12
            assert fisher(without, Count(with_.failures + 1, with_.trials + 1)) >= p - 1e-12


class TestHolm:
    """Correction for the number of tests."""

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ([], []), ([0.03], [0.03]), ([0.01, 0.04], [0.02, 0.04]), ([0.04, 0.01], [0.04, 0.02]),
            ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]), ([0.5, 0.6], [1.0, 1.0]), ([0.01, 0.01], [0.02, 0.02]),
        ],
    )  # fmt: skip
    def test_known_values(self, values: list[float], expected: list[float]) -> None:
        """The smallest times n, the next times n - 1, never less than one before; in the order given."""
        assert expected == pytest.approx(holm(values))

    def test_lies_between_none_and_bonferroni_and_keeps_the_order(self) -> None:
        """On a grid of triples: p <= corrected <= min(1, 3 p), and what was smaller stays no larger."""
        grid = [0.0, 0.001, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 0.5, 1.0]
        for values in itertools.product(grid, repeat=3):
            corrected = holm(values)
            assert all(p <= c <= min(1.0, 3 * p) + 1e-12 for p, c in zip(values, corrected, strict=True))
            pairs = sorted(zip(values, corrected, strict=True))
            assert sorted(c for _, c in pairs) == [c for _, c in pairs]


class TestTrialsToDecide:
    """How many more survivors it takes."""

    @pytest.mark.parametrize(
        ("without", "with_", "tests", "expected"),
        [
            (Count(5, 5), Count(0, 0), 1, 2), (Count(5, 5), Count(0, 1), 1, 1), (Count(5, 5), Count(0, 2), 1, 0),
            (Count(5, 5), Count(0, 0), 2, 3), (Count(1, 1), Count(0, 0), 1, 20), (Count(0, 5), Count(0, 5), 1, None),
            (Count(1, 5), Count(0, 0), 1, 96),
        ],
    )  # fmt: skip
    def test_known_values(self, without: Count, with_: Count, tests: int, expected: int | None) -> None:
        """Five deaths of five need two survivors; one death of one needs twenty; what no number decides is None."""
        assert expected == trials_to_decide(without, with_, tests)

    def test_is_the_smallest_number_that_decides(self) -> None:
        """So many decide, one fewer does not; none where not even the most do."""
        few = [count for count in COUNTS if count.trials <= 4]
        for without, with_, tests in itertools.product(few, few, (1, 3)):
            more = trials_to_decide(without, with_, tests)
            asked = MOST_TRIALS if more is None else more
            assert (more is not None) == (tests * fisher(without, Count(with_.failures, with_.trials + asked)) < 0.05)
            if more:
                assert tests * fisher(without, Count(with_.failures, with_.trials + more - 1)) >= 0.05
