"""A tool that is no Python, and faults: nobody can hold it, and the kernel's own signal is what is seen of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from built_trials import case
from decided_cases import ALL, LADDER, NATIVE, ONE, TWO, deaths, judged

from harness.model import Trial

TOOL = {"pid": 77, "signal": "SIGFPE", "started_by": "tool"}
RAISED: dict[str, Any] = {"signal": None, "code": 1}
SENT = {"signal": "SIGFPE", "target": 77, "sender": None, "by": "kernel", "code": 1, "ends": True}


def dead(number: int = 5, under: str | None = None, factors: dict[str, int] = TWO, **sent: Any) -> list[Trial]:
    """Return deaths of the tool, whose stacks nobody took."""
    facts = {"worker_death": TOOL, "native_stacks": None, "signal_delivered": {**SENT, **sent}}
    found = deaths(number, under, facts=facts, factors=factors, **RAISED)
    return [_without(one, "native_stacks", "fault_address", "crash_stack") for one in found]


def _without(trial: Trial, *names: str) -> Trial:
    return dataclasses.replace(trial, facts=tuple(fact for fact in trial.facts if fact.name not in names))


def test_the_kernel_s_signal_is_enough() -> None:
    """With one thread asked for by the variables, which a tool heeds as well."""
    assert judged(NATIVE, case(*dead(), *dead(3, "threads=1"), *LADDER, controls=ALL)).status == "established"
    assert judged(NATIVE, case(*dead(5, factors=ONE), controls=ALL)).status != "ruled-out"


@pytest.mark.parametrize("sent", [{"by": "itself", "code": -6}, {"by": "stranger", "code": 0}, {"ends": False}])
def test_not_where_it_was_sent_or_not_seen(sent: dict[str, Any]) -> None:
    """Somebody's signal, or one that was not the end."""
    trials = (*dead(5, **sent), *dead(3, "threads=1", **sent), *LADDER)
    assert judged(NATIVE, case(*trials, controls=ALL)).status != "established"


def test_not_before_one_thread_was_asked() -> None:
    """How many threads the tool has is not sampled."""
    assert judged(NATIVE, case(*dead(), *LADDER, controls=ALL)).status != "established"
