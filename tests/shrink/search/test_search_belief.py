"""The posterior over regions."""

from __future__ import annotations

from math import exp

import pytest

from harness.shrink.search.answers import Answer
from harness.shrink.search.belief import Belief, Candidate
from harness.shrink.search.grid import regions
from harness.shrink.search.survivors import PRIOR_DEATHS, PRIOR_SURVIVORS


def line_belief(size: int) -> Belief:
    """Return the belief over the boundaries of one factor, the harshest cell dying."""
    return Belief([Candidate(region.bits((size,)), prior) for region, prior in regions((size,), (size - 1,))])


def integrated(prior: list[float], counts: list[tuple[int, int]]) -> list[float]:
    """Return the posterior by adding up over ten thousand rates, the slow way."""
    rates = [exp(-number / 1000) for number in range(1, 20_000)]  # equal steps of log(rate): d rate = rate * step

    def likelihood(deaths: int, survivors: int) -> float:
        return sum(rate ** (deaths + PRIOR_DEATHS) * (1 - rate) ** (survivors + PRIOR_SURVIVORS - 1) for rate in rates)

    raw = [share * likelihood(*count) for share, count in zip(prior, counts, strict=True)]
    return [value / sum(raw) for value in raw]


class TestBelief:
    """Bayes' rule with an unknown rate."""

    def test_agrees_with_integration(self) -> None:
        """Three deaths at the harsh end, survivors at three cells: each boundary's weight."""
        belief = line_belief(4)
        for cell, answer in [(3, "dies")] * 3 + [(3, "survives"), (2, "survives"), (2, "survives"), (0, "survives")]:
            belief.learn(cell, Answer(answer))
        expected = integrated([0.25] * 4, [(3, 4), (3, 3), (3, 3), (3, 1)])
        assert [candidate.weight for candidate in belief.candidates] == pytest.approx(expected, rel=0.02)
        assert belief.confidence == pytest.approx(max(expected), rel=0.02)

    def test_a_death_rules_out_for_good(self) -> None:
        """Whatever spares the cell is gone, and nothing brings it back."""
        belief = line_belief(5)
        belief.learn(2, Answer.DIES)
        assert len(belief.candidates) == 3
        assert [belief.dies(cell) for cell in range(5)] == pytest.approx([1 / 3, 2 / 3, 1, 1, 1])

    def test_another_failure_says_nothing(self) -> None:
        """Not a grain."""
        belief = line_belief(5)
        before = [candidate.weight for candidate in belief.candidates]
        belief.learn(2, Answer.OTHER)
        assert [candidate.weight for candidate in belief.candidates] == before

    def test_deaths_that_no_region_explains_leave_none(self) -> None:
        """No best, no confidence."""
        belief = Belief([Candidate(0b10, 0.5), Candidate(0b110, 0.5)])
        belief.learn(0, Answer.DIES)
        assert (belief.best, belief.confidence) == (None, 0.0)

    def test_asks_the_middle_of_a_sure_failure(self) -> None:
        """With a known rate of nearly 1, plain bisection; where all is known, nothing."""
        belief = line_belief(16)
        for _ in range(60):
            belief.learn(15, Answer.DIES)
        assert belief.most_telling(range(16)) == 7
        belief.learn(0, Answer.DIES)
        assert belief.most_telling(range(16)) is None

    def test_prefers_what_is_likely_to_die_where_survivors_are_dear(self) -> None:
        """At a low rate a death takes fewer trials than a survivor: the question leans to the harsh side."""
        belief = line_belief(16)
        for answer in [Answer.DIES] + 19 * [Answer.SURVIVES]:
            for _ in range(20):
                belief.learn(15, answer)
        assert (belief.most_telling(range(16)) or 0) > 7
