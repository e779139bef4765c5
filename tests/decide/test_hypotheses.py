"""Each rule on small cases: the status, and reasons that point at records."""

from __future__ import annotations

import pytest
from built_trials import case, died, trial, well

from harness.decide.hypotheses import (
    HYPOTHESES,
    Case,
    Hypothesis,
    deliberate_exit,
    memory_exhaustion,
    python_exception,
)
from harness.model import Finding, Trial

BY_ID = {hypothesis.ID: hypothesis for hypothesis in HYPOTHESES}
ERROR = {"type": "ValueError", "message": "m", "thread": "MainThread", "is_main": True}
DISK = {**ERROR, "type": "OSError", "errno": 28}
EXIT = {"call": "os._exit", "code": 0, "thread": "MainThread"}
HUNG = trial(1, "hung", signal="SIGKILL", ended_by="harness")
ROOMY = {"headroom_bytes": 900, "memory_limit_bytes": 1000, "memory_limit_name": "the machine's memory"}


def sources(finding: Finding) -> list[str]:
    """Return every file:line that a finding cites."""
    return [str(source) for reason in finding.reasons for source in reason.evidence]


def judged(identity: str, asked: Case) -> Finding:
    """Judge, and check what holds for every finding about a failure."""
    finding = BY_ID[identity].judge(asked)
    assert finding.id == identity
    if finding.status in ("supported", "established", "ruled-out"):
        assert sources(finding), f"{identity} is {finding.status} and cites nothing"
        assert all(reason.evidence for reason in finding.reasons), finding.reasons
    else:
        assert finding.gaps, f"{identity} is open and says not what is missing"
    return finding


class TestAll:
    """What holds for each rule."""

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=list(BY_ID))
    def test_without_failure_there_is_nothing_to_judge(self, hypothesis: Hypothesis) -> None:
        """Open, never ruled out: what did not happen was not examined."""
        finding = hypothesis.judge(case(well(), well(2)))
        assert (finding.status, len(finding.reasons)) == ("open", 1)

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=list(BY_ID))
    @pytest.mark.parametrize(
        "dead",
        [died(signal="SIGSEGV"), died(code=3), died(code=1, facts={"python_error": ERROR}), HUNG],
        ids=["segv", "exit", "exception", "hang"],
    )
    def test_nothing_is_ruled_out_without_a_control(self, hypothesis: Hypothesis, dead: Trial) -> None:
        """A probe that has not been seen to fire on this machine cannot rule anything out."""
        assert judged(hypothesis.ID, case(dead)).status != "ruled-out"

    def test_ids_are_the_eleven(self) -> None:
        """Each family once, in the order of the reports."""
        assert list(BY_ID) == [
            "memory-exhaustion", "threading-fault", "native-fault", "stack-overflow", "illegal-instruction",
            "external-kill", "deliberate-exit", "python-exception", "hang", "io-fault", "resource-limit",
        ]  # fmt: skip


PREDICTS = [
    ("SIGSEGV", died(signal="SIGSEGV"), "memory-exhaustion threading-fault native-fault stack-overflow"),
    ("SIGABRT", died(signal="SIGABRT"), "memory-exhaustion threading-fault native-fault"),
    ("SIGBUS", died(signal="SIGBUS"), "memory-exhaustion threading-fault native-fault stack-overflow io-fault"),
    ("SIGFPE", died(signal="SIGFPE"), "threading-fault native-fault"),
    ("SIGILL", died(signal="SIGILL"), "threading-fault illegal-instruction"),
    ("SIGKILL", died(signal="SIGKILL", ended_by="outside"), "memory-exhaustion external-kill"),
    ("SIGTERM", died(signal="SIGTERM", ended_by="outside"), "external-kill"),
    ("exit 0", died(code=0), "deliberate-exit"),
    ("exit 137", died(code=137), "deliberate-exit"),
    ("exception", died(code=1, facts={"python_error": ERROR}), "memory-exhaustion python-exception"),
    ("disk", died(code=1, facts={"python_error": DISK}), "memory-exhaustion python-exception io-fault"),
    ("hang", HUNG, "threading-fault hang"),
    ("completed", well(), ""),
]


@pytest.mark.parametrize(("dead", "ids"), [row[1:] for row in PREDICTS], ids=[row[0] for row in PREDICTS])
def test_each_death_has_its_rivals(dead: Trial, ids: str) -> None:
    """A signal is not a cause: every family that could look like this death must be decided."""
    assert {hypothesis.ID for hypothesis in HYPOTHESES if hypothesis.predicts(dead)} >= set(ids.split())


SIMPLE = [
    ("native-fault", died(signal="SIGFPE"), "supported"),
    ("native-fault", died(ntstatus="0xC0000005", code=0xC0000005), "supported"),
    ("native-fault", died(code=3), "open"),
    ("stack-overflow", died(signal="SIGSEGV"), "open"),
    ("illegal-instruction", died(signal="SIGILL"), "supported"),
    ("illegal-instruction", died(signal="SIGSEGV"), "open"),
    ("external-kill", died(signal="SIGKILL", ended_by="outside"), "supported"),
    ("external-kill", HUNG, "open"),
    ("hang", HUNG, "supported"),
    ("hang", died(signal="SIGSEGV"), "open"),
    ("io-fault", died(signal="SIGBUS"), "supported"),
    ("io-fault", died(code=1, facts={"python_error": DISK}), "supported"),
    ("io-fault", died(signal="SIGSEGV"), "open"),
]


@pytest.mark.parametrize(("identity", "dead", "status"), SIMPLE)
def test_signal_supports_and_does_not_establish(identity: str, dead: Trial, status: str) -> None:
    """How a trial ended supports its family at most, with the line of exit.json."""
    finding = judged(identity, case(dead))
    assert finding.status == status
    if status == "supported":
        assert f"trials/{dead.id}/exit.json:1" in sources(finding)


class TestMemoryExhaustion:
    """Words and headroom."""

    @pytest.mark.parametrize(
        ("name", "value", "words", "source"),
        [
            (
                "allocation_failure",
                {"text": "std::bad_alloc", "sign": "bad_alloc"},
                "an allocation failed: std::bad_alloc",
                "stderr.log:3",
            ),
            (
                "kernel_oom_line",
                {"text": "Killed process 7", "names": "group"},
                "the kernel says: Killed process 7",
                "kernel.jsonl:3",
            ),
            ("oom_kill_in_group", 2, "the kernel counted 2 OOM kills in its group", "pressure.jsonl:3"),
        ],
    )
    def test_sign_of_exhaustion_supports(self, name: str, value: object, words: str, source: str) -> None:
        """What the program or the kernel said of memory, with its line; and the ladder is what is missing."""
        finding = judged("memory-exhaustion", case(died(signal="SIGABRT", facts={name: value})))
        assert (finding.status, [gap.probe for gap in finding.gaps]) == ("supported", ["memory ladder"])
        assert f"threads=2/1: {words}" == finding.reasons[0].text
        assert [f"trials/threads=2/1/{source}"] == sources(finding)

    def test_words_of_another_failure_support_nothing(self) -> None:
        """No OOM kill was counted, and stderr that no reader took for a failed allocation is not searched again."""
        dead = died(signal="SIGABRT", facts={"oom_kill_in_group": 0})
        assert judged("memory-exhaustion", case(dead, stderr="the word MemoryError in a log")).status == "open"

    def test_little_headroom_supports(self) -> None:
        """Less than a twentieth of the limit left at death."""
        dead = died(signal="SIGKILL", ended_by="outside", peak=960, facts={**ROOMY, "headroom_bytes": 40})
        finding = judged("memory-exhaustion", case(dead))
        assert finding.status == "supported"
        assert any("memory.jsonl:3" in source for source in sources(finding))

    def test_course_of_use_is_told(self) -> None:
        """What sampling missed, growth and where it leads, each with its record; where the peak was is no reason."""
        facts = {
            "peak_missed_by_sampling": {"sampled_bytes": 90, "kernel_bytes": 100, "missed_bytes": 10},
            "peak_raised_by": {"module": "backbone", "call": 2, "step": 7, "rise_bytes": 1 << 20},
            "growth_bytes_per_step": 3 << 20, "predicted_step_of_exhaustion": 41,
        }  # fmt: skip
        reasons = judged("memory-exhaustion", case(died(signal="SIGKILL", facts=facts))).reasons
        told = "\n".join(reason.text for reason in reasons)
        for words in ("sampling missed 10 B", "grew by 3.00 MiB a step", "reached at step 41"):
            assert words in told
        assert "backbone" not in told
        assert all(reason.evidence for reason in reasons)

    def test_much_headroom_does_not_rule_out(self) -> None:
        """It speaks against it, with the numbers, and stays open."""
        finding = judged("memory-exhaustion", case(died(signal="SIGSEGV", peak=100, facts=ROOMY)))
        assert finding.status == "open"
        assert "the machine's memory" in finding.reasons[0].text

    def test_survivor_with_a_higher_peak_is_told(self) -> None:
        """Who lived with more is named with its numbers."""
        dead, alive = died(signal="SIGSEGV", peak=100), well(2, peak=500, factors={"threads": 1})
        finding = judged("memory-exhaustion", case(dead, alive))
        assert any("threads=1/2 lived with a higher peak" in reason.text for reason in finding.reasons)

    def test_exit_137_is_no_oom_kill(self) -> None:
        """A plain code supports nothing."""
        assert not memory_exhaustion.predicts(died(code=137))
        assert judged("memory-exhaustion", case(died(code=137))).status == "open"

    def test_our_own_sigkill_is_no_oom_kill(self) -> None:
        """A trial that the harness ended for want of progress was not killed for want of memory."""
        assert not memory_exhaustion.predicts(HUNG)


class TestRecordedEndings:
    """Where the record itself is the evidence."""

    def test_exception_of_every_failure_establishes(self) -> None:
        """Type, message, thread, and the line of the record."""
        finding = judged("python-exception", case(died(code=1, facts={"python_error": ERROR})))
        assert finding.status == "established"
        assert "ValueError: m (uncaught in thread MainThread)" in finding.reasons[0].text
        assert sources(finding) == ["trials/threads=2/1/python_error.json:3"]

    def test_exception_of_some_supports(self) -> None:
        """Failures without one need another cause."""
        mixed = case(died(code=1, facts={"python_error": ERROR}), died(2, signal="SIGSEGV"))
        assert judged("python-exception", mixed).status == "supported"
        assert not python_exception.predicts(died(signal="SIGSEGV"))

    @pytest.mark.parametrize("call", ["os._exit", "sys.exit", "SystemExit in thread"])
    def test_recorded_exit_establishes(self, call: str) -> None:
        """The call with its code, its thread and its line."""
        finding = judged("deliberate-exit", case(died(code=0, facts={"exit_call": {**EXIT, "call": call}})))
        assert finding.status == "established"
        assert f"by {call}(0) in thread MainThread" in finding.reasons[0].text
        assert sources(finding) == ["trials/threads=2/1/exits.jsonl:3"]

    @pytest.mark.parametrize("call", ["atexit", "end of main"])
    def test_end_that_ends_nothing_does_not(self, call: str) -> None:
        """An exit code without a call that explains it supports, and the gap says what is missing."""
        finding = judged("deliberate-exit", case(died(code=0, facts={"exit_call": {**EXIT, "call": call}})))
        assert finding.status == "supported"
        assert [gap.probe for gap in finding.gaps] == ["exit call"]

    def test_exception_is_no_deliberate_exit(self) -> None:
        """Exit code 1 after a traceback is explained."""
        assert not deliberate_exit.predicts(died(code=1, facts={"python_error": ERROR}))
