"""What removes a failure with a variable and no thread; what the interpreter says of a daemon thread's lock."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import case, well
from decided_cases import ALL, LADDER, NATIVE, THREADS, TWO, deaths, judged, lives

from harness.decide.hypotheses import HYPOTHESES, resource_limit
from harness.decide.verdict import decide
from harness.facts.refused import wording
from harness.model import Trial

LOCK = (
    "Fatal Python error: _enter_buffered_busy: could not acquire lock for <_io.BufferedWriter name='<stdout>'> at "
    "interpreter shutdown, possibly due to daemon threads\nPython runtime state: finalizing\n"
)
OTHER = "Fatal Python error: _Py_CheckFunctionResult: a function returned NULL without setting an exception\n"


def told_alone(threads: int, under: str = "OMP_NUM_THREADS=1") -> list[Trial]:
    """Return five that lived under variables alone, with so many threads."""
    facts = {"threads_max": threads}
    return [well(70 + one, factors=TWO, under=under, facts=facts) for one in range(5)]


@pytest.mark.parametrize("under", ["OMP_NUM_THREADS=1", "variables=1"])
@pytest.mark.parametrize(("then", "status"), [(3, "open"), (4, "open"), (2, "established"), (1, "established")])
def test_variable_that_leaves_the_threads_as_they_were(then: int, status: str, under: str) -> None:
    """It is gone under variables alone, whatever torch is told: of the threads only where there were fewer."""
    dead = deaths(5, facts={"threads_max": 3})
    finding = judged(THREADS, case(*dead, *lives(5, "threads=1"), *told_alone(then, under), *LADDER, controls=ALL))
    assert finding.status == status
    assert any("a variable chooses it" in reason.text for reason in finding.reasons) == (status == "open")


@pytest.mark.parametrize(("had", "has", "status"), [(2, 2, "open"), (2, 1, "established"), (1, 1, "established")])
def test_torch_has_its_threads_all_the_same(had: int, has: int, status: str) -> None:
    """Its pool is as it was, though some other thread is missing: then the variables choose."""
    dead = deaths(5, facts={"threads_max": 8, "torch_threads": had})
    facts = {"threads_max": 7, "torch_threads": has}
    lived = [well(70 + one, factors=TWO, under="variables=1", facts=facts) for one in range(5)]
    alone = lives(5, "torch.set_num_threads=1")
    asked = case(*dead, *lives(5, "threads=1"), *alone, *lived, *LADDER, controls=ALL)
    assert judged(THREADS, asked).status == status


def test_worker_of_a_pool_is_no_variable_s_choice() -> None:
    """The fault on a thread of a pool's tells more than any count."""
    worker = {"threads_max": 3, "fault_thread": {"tid": 7, "name": "python", "known_to_python": False}}
    asked = case(*deaths(5, facts=worker), *lives(5, "threads=1"), *told_alone(3), *LADDER, controls=ALL)
    assert judged(THREADS, asked).status == "established"


@pytest.mark.parametrize(("words", "is_told"), [(LOCK, True), (OTHER, False), ("", False)])
def test_lock_of_a_daemon_thread(words: str, is_told: bool) -> None:
    """Threading by the interpreter's own words; any other of its complaints says nothing of threads."""
    dead = deaths(3, signal="SIGABRT", facts={"threads_max": 2})
    asked = case(*dead, *LADDER, stderr="a line\n" + words, controls=ALL)
    assert (judged(THREADS, asked).status == "established") == is_told
    assert (judged(NATIVE, asked).status == "ruled-out") == is_told
    if is_told:
        assert judged(THREADS, asked).reasons[0].evidence[0].line == 2


@pytest.mark.parametrize(("watched", "status"), [(False, "open"), (True, "ruled-out")])
def test_memory_refused_with_plenty_left_may_be_a_limit(watched: bool, status: str) -> None:
    """Where what was refused is not recorded, the number of mappings and the like are not ruled out."""
    named = {"resource": wording.MEMORY, "by": "number", "text": "OSError: [Errno 12] Cannot allocate memory"}
    facts: dict[str, Any] = {"named_want": named, "refusals_watched": watched}
    dead = deaths(3, signal=None, code=1, facts=facts)
    finding = resource_limit.judge(case(*dead, controls=ALL))
    assert finding.status == status, finding


def test_deaths_that_were_each_seen_to_be_of_the_cause_are_one_failure() -> None:
    """What was refused strikes wherever the next need is: other stacks, in other cells, are no other failure."""
    full = {"by": "oom-killer", "signal": "SIGKILL", "target": 9, "sender": None, "ends": True}
    facts = {"signal_delivered": full}
    one = deaths(3, signal="SIGKILL", ended_by="outside", facts=facts)
    cell = {**TWO, "threads": 1}
    other = deaths(1, signal="SIGKILL", ended_by="outside", facts=facts, factors=cell, loose="elsewhere")
    asked = case(*one, *other, controls=ALL)
    assert asked.unlike
    assert (
        decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], "harness run").cause
        == "memory-exhaustion"
    )
