"""Each rule on small cases: the status, and reasons that point at records."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import case, died, trial, well

from harness.hypotheses import (
    HYPOTHESES,
    Case,
    Hypothesis,
    deliberate_exit,
    memory_exhaustion,
    python_exception,
    threading_fault,
)
from harness.model import Finding, Trial

BY_ID = {hypothesis.ID: hypothesis for hypothesis in HYPOTHESES}
ERROR = {"type": "ValueError", "message": "m", "thread": "MainThread", "is_main": True}
DISK = {**ERROR, "type": "OSError"}
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

    def test_ids_are_the_ten(self) -> None:
        """Each family once, in the order of the reports."""
        assert list(BY_ID) == [
            "memory-exhaustion", "threading-fault", "native-fault", "stack-overflow", "illegal-instruction",
            "external-kill", "deliberate-exit", "python-exception", "hang", "io-fault",
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
    ("stack-overflow", died(ntstatus="0xC00000FD", code=0xC00000FD), "supported"),
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
        "text",
        [
            "RuntimeError: [enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory",
            "terminate called after throwing an instance of 'std::bad_alloc'",
            "MemoryError",
            "OSError: [Errno 12] Cannot allocate memory",
        ],
    )
    def test_failed_allocation_in_words_supports(self, text: str) -> None:
        """The line of stderr is cited."""
        finding = judged("memory-exhaustion", case(died(signal="SIGABRT"), stderr=f"step 1\n{text}\n"))
        assert finding.status == "supported"
        assert "trials/threads=2/1/stderr.log:2" in sources(finding)

    def test_little_headroom_supports(self) -> None:
        """Less than a twentieth of the limit left at death."""
        dead = died(signal="SIGKILL", ended_by="outside", peak=960, facts={**ROOMY, "headroom_bytes": 40})
        finding = judged("memory-exhaustion", case(dead))
        assert finding.status == "supported"
        assert any("memory.jsonl:3" in source for source in sources(finding))

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


class TestThreadingFault:
    """1 thread against many."""

    @staticmethod
    def at(threads: int, number: int, outcome: str, batch: int = 4) -> Trial:
        """Return a trial at so many threads."""
        signal = "SIGSEGV" if outcome == "died" else None
        return trial(number, outcome, signal=signal, factors={"threads": threads, "batch_size": batch})

    def test_failure_that_is_gone_at_one_thread_supports(self) -> None:
        """All else equal; and the bound of so few trials is in the words."""
        finding = judged("threading-fault", case(self.at(2, 1, "died"), self.at(1, 1, "completed")))
        assert finding.status == "supported"
        assert "below 95% (95 % confidence)" in finding.reasons[0].text
        assert "trials/threads=1,batch_size=4/1/exit.json:1" in sources(finding)

    def test_failure_at_one_thread_too_speaks_against(self) -> None:
        """Then threads are not what it takes."""
        finding = judged("threading-fault", case(self.at(2, 1, "died"), self.at(1, 1, "died")))
        assert finding.status == "open"
        assert "fails at 1 thread too (1 of 1)" in finding.reasons[0].text

    def test_cells_that_differ_otherwise_are_not_compared(self) -> None:
        """A survivor at 1 thread and another batch size tells nothing."""
        finding = judged("threading-fault", case(self.at(2, 1, "died"), self.at(1, 1, "completed", batch=1)))
        assert (finding.status, finding.reasons) == ("open", ())

    def test_two_openmp_runtimes_support(self) -> None:
        """They are named, with their lines in maps.txt."""
        facts: dict[str, Any] = {"openmp_runtimes": ["/a/libgomp.so.1", "C:\\b\\libiomp5md.dll"]}
        finding = judged("threading-fault", case(died(signal="SIGSEGV", facts=facts)))
        assert finding.status == "supported"
        assert "libgomp.so.1, libiomp5md.dll (more than one" in finding.reasons[0].text
        assert sources(finding) == ["trials/threads=2/1/maps.txt:3"]

    def test_one_runtime_is_told_and_supports_nothing(self) -> None:
        """A single runtime is the normal case."""
        finding = judged(
            "threading-fault", case(died(signal="SIGSEGV", facts={"openmp_runtimes": ["/a/libgomp.so.1"]}))
        )
        assert (finding.status, len(finding.reasons)) == ("open", 1)
        assert threading_fault.predicts(died(signal="SIGSEGV"))


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
