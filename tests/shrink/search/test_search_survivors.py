"""What survivors prove."""

from __future__ import annotations

import pytest

from harness.decide.statistics import Count
from harness.shrink.search.survivors import PRIOR_DEATHS, PRIOR_SURVIVORS, doubt, is_confirmed, repeats, silence

COUNTS = [Count(deaths, deaths + survivors) for deaths in (1, 3, 10) for survivors in (0, 2, 30)]


class TestSilence:
    """The chance of survivors where a subject dies."""

    def test_is_the_product_of_what_each_trial_leaves(self) -> None:
        """One survivor after the other, each by the rate that is left: the closed form, unrolled."""
        for known in COUNTS:
            left, survivors = 1.0, PRIOR_SURVIVORS + known.trials - known.failures
            for survived in range(40):
                assert silence(known, survived) == pytest.approx(left)
                left *= (survivors + survived) / (survivors + survived + PRIOR_DEATHS + known.failures)

    def test_tends_to_the_true_rate(self) -> None:
        """A rate that is well known: (1 - rate) ** n."""
        assert silence(Count(50_000, 100_000), 5) == pytest.approx(0.5**5, rel=1e-3)
        assert silence(Count(5_000, 100_000), 14) == pytest.approx(0.95**14, rel=1e-2)

    def test_a_rate_that_was_hardly_counted_proves_less(self) -> None:
        """The same rate from fewer trials asks for more survivors."""
        assert repeats(Count(2, 4)) > repeats(Count(4, 8)) > repeats(Count(2_000, 4_000)) == 5


class TestRepeats:
    """How many survivors are enough."""

    def test_is_the_smallest_number_under_the_error(self) -> None:
        """So many are, one fewer is not."""
        for known in COUNTS:
            for error in (0.2, 0.05, 0.01):
                most = repeats(known, error)
                assert silence(known, most) < error or most == 1000
                assert silence(known, most - 1) >= error

    @pytest.mark.parametrize(("known", "most"), [(Count(5, 5), 2), (Count(10, 10), 1), (Count(0, 120), 1000)])
    def test_known_values(self, known: Count, most: int) -> None:
        """Five sure deaths ask for two survivors; none at all for more than there are."""
        assert repeats(known) == most


def test_doubt_is_the_posterior_at_even_odds() -> None:
    """Untried is a coin, and doubt never exceeds the silence."""
    for known in COUNTS:
        assert doubt(known, 0) == pytest.approx(0.5)
        assert all(doubt(known, n + 1) < doubt(known, n) < silence(known, n) for n in range(1, 30))


@pytest.mark.parametrize(
    ("deaths", "trials", "confirmed"),
    [(4, 4, False), (5, 5, True), (4, 5, True), (3, 5, False), (3, 479, False), (3, 480, True), (0, 119, False),
     (0, 120, True), (1, 120, False), (1, 240, True)],
)  # fmt: skip
def test_confirmation(deaths: int, trials: int, confirmed: bool) -> None:
    """Five trials with four deaths, or so few deaths that waiting is no use."""
    assert is_confirmed(deaths, trials) == confirmed
