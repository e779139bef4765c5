"""Races of Python's own threads: what is asked, and what the answers mean."""

from __future__ import annotations

import pytest
from built_trials import case, died
from decided_cases import ALL, NATIVE, ONE, THREADS, deaths, lives, status

from harness.decide import (
    next_trial,
)
from harness.decide.hypotheses import threading_fault
from harness.decide.interventions import LONG_SWITCH, ONE_CORE, ONE_THREAD

SEVERAL = {"python_threads_at_work": 2, "busy_threads": 2}
ALONE = {"python_threads_at_work": 1}
AT_ONE = [died(number, signal="SIGSEGV", factors=ONE, facts=SEVERAL) for number in range(61, 64)]


def asked(*trials: object) -> list[str]:
    """Return the interventions that the agenda has for a failure, but for the memory ladder."""
    study = case(*trials).study  # type: ignore[arg-type]
    assert study is not None
    return [one.id for one in next_trial.wanted(study, None)]


class TestAgenda:
    """When their order is changed."""

    def test_a_fault_among_several_threads(self) -> None:
        """After the pools' number, which costs a variable alone."""
        assert asked(*deaths(5, facts=SEVERAL)) == [ONE_THREAD.id, LONG_SWITCH.id]

    def test_one_core_where_the_interpreter_s_order_plays_no_part(self) -> None:
        """Native code that has released the GIL runs at once with others all the same."""
        left = deaths(3, LONG_SWITCH.id, facts=SEVERAL)
        assert asked(*deaths(5, facts=SEVERAL), *left) == [ONE_THREAD.id, LONG_SWITCH.id, ONE_CORE.id]

    @pytest.mark.parametrize("facts", [ALONE, {}, {**SEVERAL, "stack_overflow": {"address": "0x1"}}])
    def test_nobody_to_race_with(self, facts: dict[str, object]) -> None:
        """One thread at work, or a failure of its stack alone."""
        assert LONG_SWITCH.id not in asked(*deaths(5, facts=facts))

    def test_not_where_fewer_threads_remove_it(self) -> None:
        """Then it is a pool's."""
        assert LONG_SWITCH.id not in asked(*deaths(5, facts=SEVERAL), *lives(5, ONE_THREAD.id))


class TestRule:
    """Threading, by the same statistics as any intervention."""

    def test_a_long_interval_removes_it(self) -> None:
        """Established, though one thread of the pools leaves it; then it is no native fault."""
        trials = (*deaths(5, facts=SEVERAL), *AT_ONE, *lives(5, LONG_SWITCH.id))
        assert (status(THREADS, *trials), status(NATIVE, *trials)) == ("established", "ruled-out")

    def test_too_few_trials_establish_nothing(self) -> None:
        """Four survivors may be chance."""
        assert status(THREADS, *deaths(5, facts=SEVERAL), *AT_ONE, *lives(4, LONG_SWITCH.id)) == "open"

    def test_is_not_ruled_out_before_it_was_asked(self) -> None:
        """One thread of the pools says nothing of Python's own."""
        finding = threading_fault.judge(case(*deaths(5, facts=SEVERAL), *AT_ONE, controls=ALL))
        assert (finding.status, [gap.probe for gap in finding.gaps]) == ("open", ["repeats in another order"])

    def test_is_ruled_out_where_it_comes_back(self) -> None:
        """In whatever order they run."""
        left = deaths(3, LONG_SWITCH.id, facts=SEVERAL)
        in_turn = deaths(3, ONE_CORE.id, facts={**SEVERAL, "runs_in_turn": True})
        assert status(THREADS, *deaths(5, facts=SEVERAL), *AT_ONE, *left, *in_turn) == "ruled-out"

    @pytest.mark.parametrize("told", [{}, {"runs_in_turn": False}])
    def test_native_code_is_interrupted_on_one_core_as_well(self, told: dict[str, object]) -> None:
        """Where each thread has time slices, deaths on one core rule nothing out; nor does the interval alone."""
        left = deaths(3, LONG_SWITCH.id, facts=SEVERAL)
        sliced = deaths(3, ONE_CORE.id, facts={**SEVERAL, **told})
        assert status(THREADS, *deaths(5, facts=SEVERAL), *AT_ONE, *left) == "open"
        assert status(THREADS, *deaths(5, facts=SEVERAL), *AT_ONE, *left, *sliced) == "open"

    def test_in_turn_removes_it(self) -> None:
        """Native code that two threads must not be in at once."""
        left = deaths(3, LONG_SWITCH.id, facts=SEVERAL)
        assert status(THREADS, *deaths(5, facts=SEVERAL), *AT_ONE, *left, *lives(5, ONE_CORE.id)) == "established"

    def test_no_stack_was_written(self) -> None:
        """The heap was broken: then it counts that there were several of Python's threads at all."""
        facts = {"python_threads_most": 3}
        assert LONG_SWITCH.id in asked(*deaths(5, facts=facts))
        dead = [died(number, signal="SIGSEGV", factors=ONE, facts=facts) for number in range(61, 64)]
        assert status(THREADS, *deaths(5, facts=facts), *dead) == "open"

    def test_one_thread_at_work_needs_no_such_question(self) -> None:
        """As before."""
        alone = [died(number, signal="SIGSEGV", factors=ONE, facts=ALONE) for number in range(61, 64)]
        assert status(THREADS, *deaths(5, facts=ALONE), *alone) == "ruled-out"
