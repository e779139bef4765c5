"""The search for the stretch of operators that dies alone, over thousands of made-up calls."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from harness.shrink.place.narrow import Narrowed, Stretch, narrow


class Call:
    """A made-up call: answers the search and counts its questions; `budget`: how many are answered."""

    def __init__(self, dies: Callable[[Stretch], bool], budget: int = 1000) -> None:
        """Take the truth."""
        self.asked: list[Stretch] = []
        self._dies = dies
        self._budget = budget

    def __call__(self, stretch: Stretch) -> bool | None:
        """Answer a question, or None where the budget is spent."""
        if len(self.asked) == self._budget:
            return None
        self.asked.append(stretch)
        return self._dies(stretch)


def holds(first: int, last: int) -> Callable[[Stretch], bool]:
    """Return the truth of a call that dies where a stretch holds these operators."""
    return lambda stretch: stretch.first <= first and last <= stretch.last


class TestNarrow:
    """What it finds, and how cheaply."""

    @pytest.mark.parametrize("count", [1, 2, 7, 500])
    def test_the_last_operator_alone_is_one_question(self, count: int) -> None:
        """The commonest case."""
        call = Call(holds(count - 1, count - 1))
        assert narrow(count, count - 1, call) == Narrowed(Stretch(count - 1, count - 1))
        assert len(call.asked) == 1

    @pytest.mark.parametrize("count", [1, 2, 3, 64, 65])
    def test_every_beginning_is_found(self, count: int) -> None:
        """The shortest stretch up to the operator that it died in."""
        for first in range(count):
            call = Call(holds(first, count - 1))
            assert narrow(count, count - 1, call) == Narrowed(Stretch(first, count - 1))
            assert len(call.asked) <= 2 + math.ceil(math.log2(max(count, 2)))

    @pytest.mark.parametrize("count", [1, 2, 3, 20, 33])
    def test_a_death_in_no_operator_is_closed_in_from_both_sides(self, count: int) -> None:
        """Damage may have been done long before it shows."""
        for first in range(count):
            for last in range(first, count):
                call = Call(holds(first, last))
                assert narrow(count, None, call) == Narrowed(Stretch(first, last))
                assert len(call.asked) <= 2 + 2 * math.ceil(math.log2(max(count, 2)))

    @pytest.mark.parametrize(("count", "last"), [(1, 0), (1, None), (9, 8), (9, None)])
    def test_nothing_that_survives_is_blamed(self, count: int, last: int | None) -> None:
        """At most two questions: the last operator, and the whole call."""
        call = Call(lambda _: False)
        assert narrow(count, last, call) == Narrowed(None)
        assert len(call.asked) <= 2

    def test_an_empty_call_asks_nothing(self) -> None:
        """It died before its first operator."""
        call = Call(lambda _: True)
        assert narrow(0, None, call) == Narrowed(None)
        assert call.asked == []

    @pytest.mark.parametrize("budget", range(8))
    def test_a_spent_budget_leaves_the_best_so_far(self, budget: int) -> None:
        """And says that it was not finished; what is named was seen to die."""
        call = Call(holds(37, 63), budget)
        found = narrow(64, 63, call)
        assert not found.finished
        assert found.stretch is None or (found.stretch in call.asked and found.stretch.first <= 37)
