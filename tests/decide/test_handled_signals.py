"""A signal that a handler took right before an exit: it may have asked for that exit, so no other cause is named."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import case, died
from decided_cases import ALL, LADDER, MEMORY, PLENTY, TWO, deaths, judged, lives

from harness.decide.hypotheses import HYPOTHESES, Case
from harness.decide.verdict import gate
from harness.model import Finding, Status

KILLED = "external-kill"
CALL = {"call": "os._exit", "code": 1, "thread": "MainThread"}


def handled(signal: str, by: str) -> dict[str, Any]:
    """Return the fact of a signal that a handler took half a second before the end."""
    return {
        "signal_handled": {
            "signal": signal, "target": 77, "sender": 5, "sender_command": "slurmstepd", "sender_user": "root",
            "by": by, "ends": False, "before_death_seconds": 0.5,
        }
    }  # fmt: skip


def exits(facts: dict[str, Any]) -> Case:
    """Return the case of five exits with code 1, by a recorded call, at one thread as well."""
    known = {**PLENTY, "exit_call": CALL, **facts}
    plain = [died(one, facts=known, code=1, factors=TWO) for one in range(1, 6)]
    return case(*plain, *deaths(3, "threads=1", facts={"exit_call": CALL}, signal=None, code=1), *LADDER, controls=ALL)


def cause(asked: Case) -> str | None:
    """Judge by every rule, and decide, with memory ruled out by whatever means."""
    found = [hypothesis.judge(asked) for hypothesis in HYPOTHESES if hypothesis.ID != MEMORY]
    rivals = {hypothesis.ID for hypothesis in HYPOTHESES if any(map(hypothesis.predicts, asked.failures))}
    return gate([*found, Finding(MEMORY, Status.RULED_OUT, ())], rivals)


@pytest.mark.parametrize(("signal", "by"), [("SIGTERM", "stranger"), ("SIGUSR1", "stranger"), ("SIGHUP", "kernel")])
def test_a_stranger_s_keeps_the_verdict_open(signal: str, by: str) -> None:
    """Without it the recorded exit would be the cause."""
    assert cause(exits({})) == "deliberate-exit"
    asked = exits(handled(signal, by))
    finding = judged(KILLED, asked)
    assert finding.status == "supported" and cause(asked) is None
    assert f"{signal} was sent to process 77 by" in finding.reasons[0].text
    assert "0.50 s before its exit, and a handler took it" in finding.reasons[0].text


@pytest.mark.parametrize(
    ("signal", "by"), [("SIGALRM", "kernel"), ("SIGTERM", "tree"), ("SIGTERM", "itself"), ("SIGPROF", "kernel")]
)
def test_the_program_s_own_does_not(signal: str, by: str) -> None:
    """Timers, and what its own processes send one another."""
    asked = exits(handled(signal, by))
    assert (judged(KILLED, asked).status, cause(asked)) == ("ruled-out", "deliberate-exit")


def test_a_fault_comes_of_no_handler() -> None:
    """A handler exits, and does not fault."""
    asked = case(*deaths(3, facts=handled("SIGTERM", "stranger")), *lives(1), controls=ALL)
    finding = judged(KILLED, asked)
    assert (finding.status, finding.reasons[0].text) == ("ruled-out", "no signal from outside ended a trial")
