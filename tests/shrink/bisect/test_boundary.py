"""The boundary over a plan's factors, on simulated targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from built_trials import died, well

from harness.decide import study
from harness.model import Cell, Trial
from harness.shrink.bisect import boundary
from harness.shrink.bisect.boundary import Boundary
from harness.shrink.search.answers import Isolation

Factors = dict[str, list[Any]]
Dies = Callable[[dict[str, Any]], bool]


def ran(cell: Cell, number: int, dies: Dies, signal: str = "SIGSEGV") -> Trial:
    """Return a trial of a simulated target."""
    factors = cell.as_dict()
    return died(number, signal=signal, factors=factors) if dies(factors) else well(number, factors=factors)


class Target:
    """A target that dies where a rule says so; counts what it is asked."""

    def __init__(self, dies: Dies, most: int = 1000) -> None:
        self.dies, self.most = dies, most
        self.asked: list[Cell] = []

    def run(self, cell: Cell, _: str) -> Trial | None:
        """Run one more, as long as the budget lasts."""
        if len(self.asked) >= self.most:
            return None
        self.asked.append(cell)
        return ran(cell, 100 + len(self.asked), self.dies)


def found(factors: Factors, target: Target, trials: list[Trial] | None = None) -> Boundary | None:
    """Return the boundary; the failing cell has the last value of each factor and died five times."""
    failing = Cell(tuple((name, values[-1]) for name, values in factors.items()))
    plain = [*(ran(failing, number, target.dies) for number in range(1, 6)), *(trials or [])]
    case = study.of(plain)
    assert case is not None
    return boundary.find(case, list(factors.items()), plain, target.run)


class TestFound:
    """Exactly, and between the plan's values."""

    def test_two_factors_to_the_number(self) -> None:
        """The plan names 1, 4 and 8; that it is 3 is found between them."""
        target = Target(lambda it: it["threads"] >= 2 and it["batch_size"] >= 3)
        result = found({"threads": [1, 2], "batch_size": [1, 4, 8]}, target)
        assert result is not None and result.isolation is Isolation.ISOLATED
        assert result.conditions == "threads >= 2 and batch_size >= 3"
        assert result.corner == Cell((("threads", 2), ("batch_size", 3)))
        assert result.confidence > 0.9 and len(target.asked) < 25
        assert "it dies at threads >= 2 and batch_size >= 3; confidence 0.9" in result.statement

    @pytest.mark.parametrize("least", range(2, 65, 7))
    def test_one_factor_far_apart(self, least: int) -> None:
        """Every whole number is asked for in few trials."""
        target = Target(lambda it: it["batch_size"] >= least)
        result = found({"batch_size": [1, 64]}, target)
        assert result is not None and result.conditions == f"batch_size >= {least}"
        assert len(target.asked) < 30

    def test_less_memory_is_harsher(self) -> None:
        """The failure is expected below a limit."""
        target = Target(lambda it: it["memory_limit_bytes"] <= 300)
        result = found({"memory_limit_bytes": [400, 200, 100]}, target)
        assert result is not None and result.conditions == "memory_limit_bytes <= 300"

    def test_third_factor_is_searched_by_itself(self) -> None:
        """Two are searched together, each further one alone; one that does not matter is not in the conditions."""
        target = Target(lambda it: it["threads"] >= 2 and it["image_size"] >= 96)
        factors: Factors = {"threads": [1, 2], "batch_size": [1, 2], "image_size": [64, 96], "backbone": ["a", "b"]}
        result = found(factors, target)
        assert result is not None and result.conditions == "threads >= 2 and image_size >= 65"[:-2] + "96"

    def test_trials_of_the_matrix_are_not_run_again(self) -> None:
        """They are replayed."""
        dies: Dies = lambda it: it["threads"] >= 2  # noqa: E731 - a rule
        matrix = [ran(Cell((("threads", 1),)), number, dies) for number in range(20, 40)]
        target = Target(dies)
        result = found({"threads": [1, 2]}, target, matrix)
        assert result is not None and result.conditions == "threads >= 2" and target.asked == []


class TestNotFound:
    """What cannot be said is not said."""

    @pytest.mark.parametrize("factors", [{}, {"threads": [2]}, {"backbone": ["a", "b"]}, {"flag": [False, True]}])
    def test_nothing_is_ordered(self, factors: Factors) -> None:
        """No factor, one value, words, flags."""
        failing = {"threads": [2], **factors}
        target = Target(lambda _: True)
        assert found(failing, target) is None and target.asked == []

    def test_spent_budget_gives_the_best_so_far(self) -> None:
        """With its confidence."""
        result = found({"batch_size": [1, 4, 8, 16, 32]}, Target(lambda it: it["batch_size"] >= 8, most=1))
        assert result is not None and result.searches[-1].is_spent
        assert "the budget is spent" in result.statement

    def test_failure_that_comes_seldom_is_not_asked_for_without_end(self) -> None:
        """So many trials at most, and the best so far."""
        target = Target(lambda it: it["batch_size"] >= 8 and len(target.asked) % 20 == 0)
        failing = Cell((("batch_size", 8),))
        plain = [
            died(1, signal="SIGSEGV", factors=failing.as_dict()),
            *(well(n, factors=failing.as_dict()) for n in range(2, 21)),
        ]
        case = study.of(plain)
        assert case is not None
        result = boundary.find(case, [("batch_size", [1, 4, 8])], plain, target.run, most_trials=30)
        assert result is not None and len(target.asked) <= 30 and result.searches[-1].is_spent

    def test_hole_is_reported(self) -> None:
        """Something milder dies while something harsher lives."""
        target = Target(lambda it: it["batch_size"] != 8)
        result = found({"batch_size": [1, 4, 8, 16, 32]}, target, [ran(Cell((("batch_size", 8),)), 90 + n, target.dies)
                                                                  for n in range(9)])  # fmt: skip
        assert result is not None and (result.isolation is Isolation.NOT_MONOTONE or result.searches[0].remarks)

    def test_another_failure_is_no_answer(self) -> None:
        """Deaths of another signature are listed, and never taken for this one."""
        dies: Dies = lambda it: it["batch_size"] >= 4  # noqa: E731 - a rule
        other: Dies = lambda it: it["batch_size"] < 4  # noqa: E731 - a rule

        def run(cell: Cell, _: str) -> Trial:
            return ran(cell, 50, dies) if dies(cell.as_dict()) else ran(cell, 50, other, "SIGABRT")

        failing = Cell((("batch_size", 8),))
        plain = [ran(failing, number, dies) for number in range(1, 6)]
        case = study.of(plain)
        assert case is not None
        result = boundary.find(case, [("batch_size", [1, 4, 8])], plain, run)
        assert result is not None and result.searches[0].others
        assert all(asked.answer != "survives" for search in result.searches for asked in search.trace)
