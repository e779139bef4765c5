"""The rules that interventions decide, on small cases: established, ruled out, supported or open, and why."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from built_trials import case, died, proven, trial, well

from harness.hypotheses import HYPOTHESES, Case, native_fault, stack_overflow, threading_fault
from harness.model import Control, Finding, Trial

TWO = {"threads": 2, "batch_size": 4}
ONE = {**TWO, "threads": 1}
THREADS, NATIVE, STACK, MEMORY = "threading-fault", "native-fault", "stack-overflow", "memory-exhaustion"
ALL = proven(*(hypothesis.ID for hypothesis in HYPOTHESES))
GIB = 1 << 30
PLENTY = {
    "headroom_bytes": 15 * GIB, "memory_limit_bytes": 20 * GIB, "memory_limit_name": "the machine's memory",
    "rss_at_end_bytes": GIB, "oom_kill_in_group": 0, "oom_kill_on_host": 0, "group_is_own": False,
}  # fmt: skip
HELD = {"native_stacks": ["native/main/native_stacks.json"], "fault_address": "0x1230", "crash_stack": ["a", "b", "c"]}
OVERFLOW = {"address": "0x1", "stack": "[stack]", "below_stack_bytes": 8, "from_stack_pointer_bytes": 16}
COPIES = {"libgomp": ["/a/libgomp.so.1", "/b/libgomp.so.1"]}


def deaths(number: int, under: str | None = None, facts: dict[str, Any] | None = None, **keys: Any) -> list[Trial]:
    """Return so many deaths at two threads, or under an intervention."""
    known = {**PLENTY, **HELD, **(facts or {})}
    same = {"signal": "SIGSEGV", "factors": TWO, "peak": GIB, **keys}
    return [died(one, facts=known, under=under, **same) for one in range(1, number + 1)]


def lives(number: int, under: str | None = None) -> list[Trial]:
    """Return so many trials that lived."""
    return [well(50 + one, factors=TWO, under=under) for one in range(number)]


def rung(share: float, kills: bool) -> Trial:
    """Return a trial of the memory ladder, in a group that was full where it was killed."""
    limit = int(share * GIB)
    facts = {
        "confinement": {"kind": "cgroup v1", "limit_bytes": limit, "applied": True}, "group_is_own": True,
        "group_peak_bytes": limit if kills else GIB // 4, "oom_kill_in_group": int(kills),
    }  # fmt: skip
    how = {"signal": "SIGKILL", "ended_by": "outside"} if kills else {"code": 0}
    return trial(1, "died" if kills else "completed", under=f"memory={share:g}x", factors=TWO, facts=facts, **how)


LADDER = [rung(1.5, False), rung(1.0, False), rung(0.8, True), rung(0.6, True)]


def judged(identity: str, asked: Case) -> Finding:
    """Judge, and check what holds for every finding: what is not open cites file:line, what is undecided has a gap."""
    finding = next(hypothesis for hypothesis in HYPOTHESES if hypothesis.ID == identity).judge(asked)
    assert identity == finding.id
    assert finding.status == "open" or (finding.reasons and all(reason.evidence for reason in finding.reasons)), finding
    assert finding.status.is_decided or finding.gaps, finding
    return finding


def status(identity: str, *trials: Trial, controls: tuple[Control, ...] = ALL) -> str:
    """Return the status of a rule."""
    return judged(identity, case(*trials, controls=controls)).status


class TestThreading:
    """One thread against the failing number."""

    @pytest.mark.parametrize(
        ("under", "expected"),
        [
            (lives(5, "threads=1"), "established"), (deaths(3, "threads=1"), "ruled-out"),
            ([*deaths(3, "threads=1"), *lives(9, "threads=1")], "ruled-out"), ([], "open"),
            (lives(1, "threads=1"), "open"), (deaths(2, "threads=1"), "open"),
            ([*deaths(2, "threads=1"), *lives(2, "threads=1")], "open"),
            (deaths(12, "threads=1", signal="SIGABRT"), "open"),
        ],
        ids=["gone", "back", "back at times", "not tried", "one", "two", "both", "other deaths"],
    )  # fmt: skip
    def test_is_decided_by_one_thread(self, under: list[Trial], expected: str) -> None:
        """Gone: established. Three same deaths: ruled out. Anything else: open."""
        assert expected == status(THREADS, *deaths(5), *under)

    def test_matrix_cell_at_one_thread_decides_as_well(self) -> None:
        """All else equal; a cell with another batch size besides tells nothing."""
        same = [well(one, factors=ONE) for one in range(5)]
        other = [well(one, factors={"threads": 1, "batch_size": 1}) for one in range(5)]
        assert ("established", "open") == (status(THREADS, *deaths(5), *same), status(THREADS, *deaths(5), *other))

    def test_sentence_has_the_numbers_and_every_trial(self) -> None:
        """Counts, p, and the exit record of each trial that was counted."""
        reason = judged(THREADS, case(*deaths(5), *lives(5, "threads=1"))).reasons[0]
        assert "removes the failure: failed 0 of 5 with it (rate 0% to 52%), 5 of 5 without" in reason.text
        cited = [f"trials/threads=2,batch_size=4/{one}/exit.json:1" for one in range(1, 6)]
        cited += [f"trials/threads=2,batch_size=4+threads=1/{one}/exit.json:1" for one in range(50, 55)]
        assert cited == [str(source) for source in reason.evidence]

    def test_established_needs_no_control_and_ruled_out_does(self) -> None:
        """What was seen was seen; what was not seen may have been missed."""
        assert "established" == status(THREADS, *deaths(5), *lives(5, "threads=1"), controls=())
        for controls in ((), proven(NATIVE), (Control("c", THREADS, "", False),)):
            finding = judged(THREADS, case(*deaths(5), *deaths(3, "threads=1"), controls=controls))
            assert ("open", ["control of threading-fault"]) == (finding.status, [gap.probe for gap in finding.gaps])
            assert finding.reasons

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ({"factors": ONE}, "ruled-out"), ({"factors": {}, "facts": {"threads_max": 1}}, "ruled-out"),
            ({"factors": {}, "facts": {"threads_max": 2}}, "open"), ({"factors": {}}, "open"),
        ],
    )  # fmt: skip
    def test_process_of_one_thread_needs_no_intervention(self, keys: dict[str, Any], expected: str) -> None:
        """Three same deaths there rule it out; two do not."""
        assert expected == status(THREADS, *deaths(3, **keys))
        assert "open" == status(THREADS, *deaths(2, **keys))

    @pytest.mark.parametrize("facts", [{"openmp_mix": True}, {"openmp_copies": COPIES}])
    def test_two_runtimes_support_and_are_never_ruled_out(self, facts: dict[str, Any]) -> None:
        """They can damage each other at one thread too."""
        assert "supported" == status(THREADS, *deaths(1, facts=facts))
        assert "supported" == status(THREADS, *deaths(5, facts=facts), *deaths(3, "threads=1"))
        assert "supported" == status(THREADS, *deaths(5, facts=facts, factors=ONE))
        assert "established" == status(THREADS, *deaths(5, facts=facts), *lives(5, "threads=1"))

    def test_one_runtime_is_told_and_supports_nothing(self) -> None:
        """A single runtime is the normal case; its line in maps.txt is cited."""
        facts = {"openmp_runtimes": ["C:\\b\\libiomp5md.dll"], "openmp_mix": False}
        finding = judged(THREADS, case(*deaths(1, facts=facts)))
        told = finding.reasons[-1]
        assert ("open", "OpenMP runtimes loaded: libiomp5md.dll") == (finding.status, told.text.split(": ", 1)[1])
        assert ["trials/threads=2,batch_size=4/1/maps.txt:3"] == [str(source) for source in told.evidence]

    @pytest.mark.parametrize(("known", "told"), [(False, True), (True, False), (None, False)])
    def test_pool_worker_is_told_and_supports_nothing(self, known: bool | None, told: bool) -> None:
        """A SIGSEGV on a worker alone is not a race."""
        facts = {"fault_thread": {"tid": 9, "name": "pool", "known_to_python": known}}
        finding = judged(THREADS, case(*deaths(1, facts=facts)))
        assert ("open", told) == (finding.status, any("unknown to Python" in one.text for one in finding.reasons))

    @pytest.mark.xfail(strict=True, reason="rule: 4 survivors beside 8 deaths of another look establish threading")
    def test_what_still_dies_at_one_thread_is_not_established(self) -> None:
        """A fault on a worker has another stack than the same fault on the main thread."""
        under = [*lives(4, "threads=1"), *deaths(8, "threads=1", loose="kernel < main (2)")]
        assert "established" != status(THREADS, *deaths(5), *under)

    @pytest.mark.xfail(strict=True, reason="rule: a target that sets its own thread count is taken for one thread")
    def test_intervention_that_did_not_take_hold_rules_nothing_out(self) -> None:
        """Four of torch's threads under threads=1: then nothing was intervened."""
        under = deaths(3, "threads=1", facts={"torch_threads": 4, "threads_max": 9})
        assert "open" == status(THREADS, *deaths(5), *under)


class TestMemory:
    """The ladder."""

    @pytest.mark.parametrize(
        ("facts", "keys", "expected"),
        [
            ({}, {}, "ruled-out"),
            ({"headroom_bytes": 9}, {}, "supported"),
            ({"allocation_failure": {"sign": "MemoryError", "text": "MemoryError"}}, {}, "supported"),
            ({"headroom_bytes": 4 * GIB}, {}, "ruled-out"),
            ({"headroom_bytes": 2 * GIB}, {}, "open"),
            ({"oom_kill_in_group": 1, "headroom_bytes": 9}, {"signal": "SIGKILL"}, "established"),
            ({"kernel_oom_line": {"names": "process", "text": "Killed"}}, {"signal": "SIGKILL"}, "established"),
            ({}, {"signal": "SIGKILL"}, "ruled-out"),
        ],
    )
    def test_decides(self, facts: dict[str, Any], keys: dict[str, Any], expected: str) -> None:
        """Yes establishes; no rules out where nothing else is a sign; not known leaves what the signs say."""
        dead = deaths(5, facts=facts, **{"ended_by": "outside" if keys else "itself", **keys})
        assert expected == status(MEMORY, *dead, *LADDER)

    def test_without_it_nothing_is_decided(self) -> None:
        """Plenty left speaks against it and no more."""
        finding = judged(MEMORY, case(*deaths(5), controls=ALL))
        assert ("open", ["memory ladder"]) == (finding.status, [gap.probe for gap in finding.gaps])

    @pytest.mark.parametrize("number", range(4))
    def test_ladder_that_killed_nothing_decides_nothing(self, number: int) -> None:
        """No rung was low enough to show what exhaustion looks like."""
        rungs = [rung(share, False) for share in (1.5, 1.0, 0.8, 0.6)[: number + 1]]
        assert "open" == status(MEMORY, *deaths(5), *rungs)

    def test_ruled_out_needs_a_control_and_established_does_not(self) -> None:
        """The gap names it."""
        finding = judged(MEMORY, case(*deaths(5), *LADDER, controls=proven(THREADS)))
        assert finding.status == "open" and "control of memory-exhaustion" in [gap.probe for gap in finding.gaps]
        killed = deaths(5, facts={"oom_kill_in_group": 1, "headroom_bytes": 9}, signal="SIGKILL", ended_by="outside")
        assert "established" == status(MEMORY, *killed, *LADDER, controls=())

    @pytest.mark.xfail(strict=True, reason="rule: only the first death of the cell is asked for signs")
    def test_sign_of_any_failure_keeps_it_from_being_ruled_out(self) -> None:
        """A second cell died of a failed allocation: memory is not excluded, whatever the first cell died of."""
        facts = {"allocation_failure": {"sign": "bad_alloc", "text": "std::bad_alloc"}, "duration_seconds": 9.0}
        other = deaths(1, factors={**TWO, "batch_size": 8}, signal="SIGABRT", facts=facts)
        assert "ruled-out" != status(MEMORY, *deaths(5), *other, *LADDER)


class TestNative:
    """What needs neither threads nor memory nor stack."""

    PERSISTS = deaths(3, "threads=1")

    def test_established_where_it_persists_and_differs_from_exhaustion(self) -> None:
        """Three same deaths at one thread, the ladder says no, and native stacks were taken."""
        finding = judged(NATIVE, case(*deaths(5), *self.PERSISTS, *LADDER, controls=ALL))
        assert "established" == finding.status
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
        assert ("ruled-out", "open") == (status(NATIVE, *trials), status(NATIVE, *trials, controls=()))

    @pytest.mark.xfail(strict=True, reason="rule: that sentence cites no record")
    def test_full_stack_rules_it_out(self) -> None:
        """Then the stack is what ended it."""
        assert "ruled-out" == status(NATIVE, *deaths(5, facts={"stack_overflow": OVERFLOW}), *self.PERSISTS, *LADDER)

    def test_gone_without_onednn_establishes(self) -> None:
        """An intervention on native code alone."""
        assert "established" == status(NATIVE, *deaths(5), *lives(5, "onednn=off"))
        assert "supported" == status(NATIVE, *deaths(5), *lives(1, "onednn=off"))

    @pytest.mark.parametrize(("keys", "expected"), [({}, "ruled-out"), ({"signal": "SIGABRT"}, "ruled-out")])
    def test_other_endings_show_no_sign(self, keys: dict[str, Any], expected: str) -> None:
        """An exit code, or an abort that the program sent to itself."""
        facts = {"signal_sent": {"fatal": True}} if keys else {}
        dead = died(code=None if keys else 3, factors=TWO, facts=facts, **keys)
        assert not native_fault.predicts(dead)
        assert (expected, "open") == (status(NATIVE, dead), status(NATIVE, dead, controls=()))

    @pytest.mark.xfail(strict=True, reason="rule: a second cell's SIGSEGV is not looked at where another died sooner")
    def test_fault_of_another_cell_is_a_sign(self) -> None:
        """The quickest death is an exit code; a slower one is a SIGSEGV: native code is not ruled out."""
        quick = died(code=3, factors={"threads": 1}, facts={"duration_seconds": 1.0})
        assert "ruled-out" != status(NATIVE, quick, *deaths(1, facts={"duration_seconds": 9.0}))


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
        assert "supported" == stack_overflow.judge(finding).status

    def test_unknown_address_is_a_gap(self) -> None:
        """Its distance from the stack's end is not known."""
        finding = judged(STACK, case(died(signal="SIGSEGV"), controls=ALL))
        assert ("open", ["fault address"]) == (finding.status, [gap.probe for gap in finding.gaps])

    def test_windows_says_it_itself(self) -> None:
        """0xC00000FD is nothing else."""
        assert "established" == status(STACK, died(code=0xC00000FD, ntstatus="0xC00000FD"))

    @pytest.mark.xfail(strict=True, reason="rule: all() of no death is True where the reference has no signature")
    def test_nothing_is_not_every_death(self) -> None:
        """Without a signature no death is the same as another, and none lies at a stack's end."""
        dead = type(deaths(1)[0])(**{**vars(died(signal="SIGSEGV")), "signature": None})
        assert "open" == status(STACK, dead)


def test_threading_and_native_are_never_both_established() -> None:
    """On every mixture of deaths and survivors at one thread, with and without oneDNN's intervention."""
    for dead, alive, off in itertools.product(range(5), range(7), (0, 5)):
        trials = [*deaths(5), *deaths(dead, "threads=1"), *lives(alive, "threads=1"), *lives(off, "onednn=off")]
        asked = case(*trials, *LADDER, controls=ALL)
        both = {threading_fault.judge(asked).status, native_fault.judge(asked).status}
        assert both != {"established"}, (dead, alive, off)
