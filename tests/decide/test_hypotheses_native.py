"""native-fault, stack-overflow, and all rules together, as interventions decide."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from built_trials import case, died
from decided_cases import (
    ALL,
    GIB,
    LADDER,
    MEMORY,
    NATIVE,
    OVERFLOW,
    STACK,
    THREADS,
    TWO,
    deaths,
    judged,
    lives,
    rung,
    status,
)  # fmt: skip

from harness.decide.hypotheses import HYPOTHESES, native_fault, stack_overflow, threading_fault
from harness.decide.verdict import decide
from harness.model import Trial


class TestNative:
    """What needs neither threads nor memory nor stack."""

    PERSISTS = deaths(3, "threads=1")

    def test_established_where_it_persists_and_differs_from_exhaustion(self) -> None:
        """Three same deaths at one thread, the ladder says no, and native stacks were taken."""
        finding = judged(NATIVE, case(*deaths(5), *self.PERSISTS, *LADDER, controls=ALL))
        assert finding.status == "established"
        assert any("it faulted in a < b < c" in reason.text for reason in finding.reasons)

    @pytest.mark.parametrize("left_out", ["native stacks", "repeats at one thread", "memory ladder"])
    def test_supported_where_one_part_is_missing(self, left_out: str) -> None:
        """And the gap names that part."""
        facts = {"native_stacks": None} if left_out == "native stacks" else {}
        dead = [one for one in deaths(5, facts=facts)]
        dead = [without(one, "native_stacks") for one in dead] if facts else dead
        under = [] if left_out == "repeats at one thread" else self.PERSISTS
        finding = judged(NATIVE, case(*dead, *under, *([] if left_out == "memory ladder" else LADDER), controls=ALL))
        assert ("supported", [left_out]) == (finding.status, [gap.probe for gap in finding.gaps])

    def test_gone_at_one_thread_rules_it_out(self) -> None:
        """It predicts that it persists; without a control it stays open."""
        trials = [*deaths(5), *lives(5, "threads=1"), *LADDER]
        assert (status(NATIVE, *trials), status(NATIVE, *trials, controls=())) == ("ruled-out", "open")

    def test_full_stack_rules_it_out(self) -> None:
        """Then the stack is what ended it."""
        assert status(NATIVE, *deaths(5, facts={"stack_overflow": OVERFLOW}), *self.PERSISTS, *LADDER) == "ruled-out"

    def test_gone_without_onednn_establishes(self) -> None:
        """An intervention on native code alone."""
        assert status(NATIVE, *deaths(5), *lives(5, "onednn=off")) == "established"
        assert status(NATIVE, *deaths(5), *lives(1, "onednn=off")) == "supported"

    @pytest.mark.parametrize(("keys", "expected"), [({}, "ruled-out"), ({"signal": "SIGABRT"}, "ruled-out")])
    def test_other_endings_show_no_sign(self, keys: dict[str, Any], expected: str) -> None:
        """An exit code, or an abort that the program sent to itself."""
        facts = {"signal_sent": {"fatal": True}} if keys else {}
        dead = died(code=None if keys else 3, factors=TWO, facts=facts, **keys)
        assert not native_fault.predicts(dead)
        assert (expected, "open") == (status(NATIVE, dead), status(NATIVE, dead, controls=()))

    def test_fault_of_another_cell_is_a_sign(self) -> None:
        """The quickest death is an exit code; a slower one is a SIGSEGV: native code is not ruled out."""
        quick = died(code=3, factors={"threads": 1}, facts={"duration_seconds": 1.0})
        assert status(NATIVE, quick, *deaths(1, facts={"duration_seconds": 9.0})) != "ruled-out"


def without(one: Trial, name: str) -> Trial:
    """Return a trial without the fact of that name."""
    return type(one)(**{**vars(one), "facts": tuple(fact for fact in one.facts if fact.name != name)})


class TestStack:
    """Where the fault lies, or what a larger stack does."""

    @pytest.mark.parametrize(
        ("facts", "under", "expected"),
        [
            ({"stack_overflow": OVERFLOW}, [], "established"), ({}, [], "ruled-out"),
            ({}, lives(5, "stack=256M"), "established"), ({}, lives(1, "stack=256M"), "ruled-out"),
        ],
    )  # fmt: skip
    def test_decides(self, facts: dict[str, Any], under: list[Trial], expected: str) -> None:
        """At a stack's end in every death, or gone with a larger one; elsewhere: ruled out where a control fired."""
        assert expected == status(STACK, *deaths(5, facts=facts), *under)
        bare = status(STACK, *deaths(5, facts=facts), *under, controls=())
        assert ("established" if expected == "established" else "open") == bare

    def test_some_deaths_support(self) -> None:
        """Not every one lay there."""
        rest = [one for one in deaths(5) if not one.id.endswith("/1")]
        finding = case(*deaths(1, facts={"stack_overflow": OVERFLOW}), *rest, controls=ALL)
        assert stack_overflow.judge(finding).status == "supported"

    def test_unknown_address_is_a_gap(self) -> None:
        """Its distance from the stack's end is not known."""
        finding = judged(STACK, case(died(signal="SIGSEGV"), controls=ALL))
        assert (finding.status, [gap.probe for gap in finding.gaps]) == ("open", ["fault address"])

    def test_windows_says_it_itself(self) -> None:
        """0xC00000FD is nothing else."""
        assert status(STACK, died(code=0xC00000FD, ntstatus="0xC00000FD")) == "established"

    def test_nothing_is_not_every_death(self) -> None:
        """Without a signature no death is the same as another, and none lies at a stack's end."""
        dead = type(deaths(1)[0])(**{**vars(died(signal="SIGSEGV")), "signature": None})
        assert status(STACK, dead) == "open"


def test_threading_and_native_are_never_both_established() -> None:
    """On every mixture of deaths and survivors at one thread, with and without oneDNN's intervention."""
    for dead, alive, off in itertools.product(range(5), range(7), (0, 5)):
        trials = [*deaths(5), *deaths(dead, "threads=1"), *lives(alive, "threads=1"), *lives(off, "onednn=off")]
        asked = case(*trials, *LADDER, controls=ALL)
        both = {threading_fault.judge(asked).status, native_fault.judge(asked).status}
        assert both != {"established"}, (dead, alive, off)


def verdict(*trials: Trial) -> tuple[str, str | None]:
    """Return status and cause of the verdict where every control has fired."""
    asked = case(*trials, controls=ALL)
    found = decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], "harness run")
    return found.status, found.cause


class TestNamed:
    """From trials to the verdict, all rules together."""

    OOM = {"oom_kill_in_group": 1, "headroom_bytes": 9}
    KILLED = {"signal": "SIGKILL", "ended_by": "outside"}

    def test_race(self) -> None:
        """Gone at one thread, unlike exhaustion, elsewhere than at a stack's end."""
        assert verdict(*deaths(5), *lives(5, "threads=1"), *LADDER) == ("named", THREADS)

    def test_fault_of_native_code(self) -> None:
        """Comes at one thread too, unlike exhaustion, elsewhere than at a stack's end."""
        assert verdict(*deaths(5), *deaths(3, "threads=1"), *LADDER) == ("named", NATIVE)

    def test_exception(self) -> None:
        """The record is the evidence, once threads and memory are excluded."""
        error = {"type": "TypeError", "message": "m", "thread": "MainThread", "is_main": True}
        keys = {"signal": None, "code": 1, "facts": {"python_error": error}}
        assert verdict(*deaths(5, **keys), *deaths(3, "threads=1", **keys), *LADDER) == ("named", "python-exception")

    def test_failed_allocation(self) -> None:
        """An abort after an allocation that failed, with little left, and a limit brings about the same."""
        told = {"allocation_failure": {"sign": "std::bad_alloc", "text": "std::bad_alloc"}, "headroom_bytes": 9}
        keys = {"signal": "SIGABRT", "facts": told}
        limit = {"kind": "RLIMIT_DATA", "limit_bytes": GIB // 2, "applied": True}
        low = deaths(1, "memory=0.6x", signal="SIGABRT", facts={**told, "confinement": limit})
        trials = [*deaths(5, **keys), *deaths(3, "threads=1", **keys), rung(1.5, False), *low]
        assert status(MEMORY, *trials) == "established"
        assert verdict(*trials) == ("named", MEMORY)

    @pytest.mark.parametrize("left_out", range(3))
    def test_nothing_is_named_where_one_part_is_missing(self, left_out: int) -> None:
        """Neither without one thread, nor without the ladder, nor without the repeats."""
        parts = [lives(5, "threads=1"), LADDER, deaths(5)[1:]]
        kept = [trial for number, part in enumerate(parts) if number != left_out for trial in part]
        assert verdict(*deaths(1), *kept) == ("open", None)

    @pytest.mark.parametrize("signal", ["SIGBUS", "SIGILL", "SIGKILL"])
    def test_what_another_family_predicts_stays_open(self, signal: str) -> None:
        """No rule can rule out io-fault, illegal-instruction, external-kill where their own signal came."""
        keys = {"signal": signal, "ended_by": "outside" if signal == "SIGKILL" else "itself"}
        assert verdict(*deaths(5, **keys), *lives(5, "threads=1"), *LADDER) == ("open", None)

    def test_oom_kill(self) -> None:
        """The kernel counted it in the target's group, which was full, and a limit brings about the same."""
        dead, single = deaths(5, facts=self.OOM, **self.KILLED), deaths(3, "threads=1", facts=self.OOM, **self.KILLED)
        assert verdict(*dead, *single, *LADDER) == ("named", MEMORY)

    def test_two_failures_are_not_one_cause(self) -> None:
        """Another cell aborts in another place: the cause of the one is not the cause of all."""
        other = deaths(3, factors={**TWO, "batch_size": 8}, signal="SIGABRT", loose="elsewhere (1)")
        assert verdict(*deaths(5), *lives(5, "threads=1"), *LADDER, *other) == ("open", None)
