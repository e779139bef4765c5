"""Exact statements about failure rates."""

from __future__ import annotations

import pytest

from harness.search.statistics import rate_below


class TestRateBelow:
    """The bound after no failure in n trials."""

    @pytest.mark.parametrize(
        ("trials", "expected"), [(0, 1.0), (1, 0.95), (2, 0.776393), (5, 0.450720), (59, 0.0495088), (299, 0.0099692)]
    )
    def test_known_values(self, trials: int, expected: float) -> None:
        """1 - 0.05 ** (1 / n): 59 trials are what it takes to go below 5 %."""
        assert rate_below(trials) == pytest.approx(expected, rel=1e-4)

    @pytest.mark.parametrize("trials", [1, 3, 10, 100])
    def test_is_the_rate_at_which_silence_has_the_chance_left(self, trials: int) -> None:
        """At the bound, no failure in n trials happens with probability 1 - confidence."""
        for confidence in (0.5, 0.95, 0.99):
            assert (1 - rate_below(trials, confidence)) ** trials == pytest.approx(1 - confidence)

    def test_falls_with_each_trial(self) -> None:
        """More trials never allow a higher rate."""
        bounds = [rate_below(trials) for trials in range(200)]
        assert bounds == sorted(bounds, reverse=True)
