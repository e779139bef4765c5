"""external-kill, io-fault, and what only reports them: decided by what the system says and what interventions did."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from built_trials import case, proven, trial
from decided_cases import ALL, LADDER, NATIVE, THREADS, TWO, deaths, judged, lives, status

from harness.decide.hypotheses import external_kill, io_fault
from harness.model import Trial

KILLED, IO, EXCEPTION, HANG, MEMORY = "external-kill", "io-fault", "python-exception", "hang", "memory-exhaustion"
OUTSIDE: dict[str, Any] = {"signal": "SIGKILL", "ended_by": "outside"}
ALONE = {"threads_max": 1}
SILENT = {**ALONE, "own_signals_forbidden": True}
WORKER = {"worker_death": {"pid": 77, "signal": "SIGKILL"}, "python_error": {
    "type": "RuntimeError", "message": "DataLoader worker (pid(s) 77) exited unexpectedly", "thread": "MainThread",
}}  # fmt: skip
FULL = {"type": "OSError", "message": "[Errno 28] No space left on device", "thread": "MainThread",
        "errno": errno.ENOSPC, "filename": "/data/best.pt", "bases": ["OSError", "Exception"]}  # fmt: skip
CUT = {"path": "/data/samples.bin", "offset_bytes": 4096, "size_bytes": 4096, "free_bytes": 9}


def silenced(number: int, **keys: Any) -> list[Trial]:
    """Return deaths that came although the target had no power to send a signal."""
    return deaths(number, "own-signals=off", **{"facts": SILENT, **OUTSIDE, **keys})


def killed(number: int, **facts: Any) -> list[Trial]:
    """Return deaths by a signal from outside, in a process of one thread."""
    return deaths(number, facts={**ALONE, **facts}, **OUTSIDE)


class TestExternalKill:
    """From outside, and not for want of memory."""

    def test_established_where_it_comes_back_to_a_silent_target(self) -> None:
        """Three deaths under the filter, and the ladder says that exhaustion looks different."""
        finding = judged(KILLED, case(*killed(5), *silenced(3), *LADDER, controls=ALL))
        assert finding.status == "established"
        assert "own-signals=off: leaves the failure: failed 3 of 3 with it" in finding.reasons[0].text

    @pytest.mark.parametrize(
        ("under", "rungs", "controls", "missing"),
        [
            ([], LADDER, ALL, "own signals"), (silenced(2), LADDER, ALL, "own signals"),
            (silenced(3, facts=ALONE), LADDER, ALL, "own signals"), (silenced(3), [], ALL, "memory ladder"),
            (silenced(3), LADDER, proven(KILLED), "memory ladder"),
        ],
        ids=["not asked", "two deaths", "the filter was not in force", "no ladder", "memory's probes not proven"],
    )  # fmt: skip
    def test_supported_where_one_part_is_missing(
        self, under: list[Trial], rungs: list[Trial], controls: Any, missing: str
    ) -> None:
        """And the gap names it."""
        finding = judged(KILLED, case(*killed(5), *under, *rungs, controls=controls))
        assert finding.status == "supported" and missing in [gap.probe for gap in finding.gaps]

    def test_ruled_out_where_the_target_sends_it_itself(self) -> None:
        """Gone once it has no power to send it."""
        finding = judged(KILLED, case(*killed(5), *lives(5, "own-signals=off"), controls=ALL))
        assert finding.status == "ruled-out"
        assert "the target sends it itself" in finding.reasons[1].text

    def test_interrupt_is_never_established(self) -> None:
        """OpenBLAS raises SIGINT where it can start no thread: it looks like Ctrl-C."""
        how = {"signal": "SIGINT", "ended_by": "outside"}
        trials = [*deaths(5, facts=ALONE, **how), *silenced(3, **how), *LADDER]
        assert status(KILLED, *trials) == "supported"

    def test_kernel_s_own_signal_at_a_limit_is_none(self) -> None:
        """SIGXCPU comes at a limit that somebody set: that is another family; one that a stranger sent is a kill."""
        facts = {**ALONE, "cpu_limit_seconds": 1, "cpu_seconds": 1.02}
        dead = deaths(3, facts=facts, signal="SIGXCPU", ended_by="outside")
        finding = judged("resource-limit", case(*dead, controls=ALL))
        assert (finding.status, status(KILLED, *dead)) == ("established", "ruled-out")
        assert "used 1.02 s of processor time, its limit is 1 s" in finding.reasons[0].text
        sent = {"signal_delivered": {"signal": "SIGXCPU", "by": "stranger", "ends": True}}
        assert external_kill.predicts(deaths(1, facts={**facts, **sent}, signal="SIGXCPU", ended_by="outside")[0])


class TestWorker:
    """A worker that was killed: the main process' exception is only the messenger."""

    RAISED: dict[str, Any] = {"signal": None, "code": 1}

    def trials(self) -> list[Trial]:
        """Return five deaths as they are, and three with a silent target."""
        plain = deaths(5, facts={**ALONE, **WORKER}, **self.RAISED)
        return [*plain, *deaths(3, "own-signals=off", facts={**SILENT, **WORKER}, **self.RAISED), *LADDER]

    def test_kill_is_established_and_the_exception_ruled_out(self) -> None:
        """Who died first is the cause."""
        assert status(KILLED, *self.trials()) == "established"
        finding = judged(EXCEPTION, case(*self.trials(), controls=ALL))
        assert finding.status == "ruled-out" and "is how external-kill shows itself" in finding.reasons[0].text

    def test_exception_alone_is_never_the_cause(self) -> None:
        """Why the worker died is not known yet."""
        finding = judged(EXCEPTION, case(*self.trials()[:5], controls=ALL))
        assert (finding.status, [gap.probe for gap in finding.gaps]) == ("supported", ["first death"])

    def test_worker_that_the_program_killed_is_no_external_kill(self) -> None:
        """A recorded signal to that process."""
        sent = {"signal_sent": {"target": 77, "fatal": False, "call": "os.kill", "signal": "SIGKILL"}}
        dead = deaths(1, facts={**ALONE, **WORKER, **sent}, **self.RAISED)[0]
        assert not external_kill.predicts(dead)

    @pytest.mark.parametrize(("signal", "family"), [("SIGSEGV", NATIVE), ("SIGBUS", IO), ("SIGKILL", MEMORY)])
    def test_worker_s_signal_has_its_own_rivals(self, signal: str, family: str) -> None:
        """As if the process itself had died of it."""
        facts = {**ALONE, **WORKER, "worker_death": {"pid": 77, "signal": signal}}
        assert status(family, *deaths(1, facts=facts, **self.RAISED)) in ("supported", "open")


class TestIo:
    """The system itself says which."""

    RAISED: dict[str, Any] = {"signal": None, "code": 1}

    def failing(self, number: int = 5, **error: Any) -> list[Trial]:
        """Return deaths by an exception of the file system, in a process of one thread."""
        return deaths(number, facts={**ALONE, "python_error": {**FULL, **error}}, **self.RAISED)

    @pytest.mark.parametrize(
        "error",
        [
            {}, {"errno": errno.ENOENT, "type": "FileNotFoundError"},
            {"errno": None, "message": "image file is truncated (3 bytes not processed)"},
            {"errno": None, "type": "UnidentifiedImageError", "message": "cannot identify image file '/a.jpg'"},
        ],
    )  # fmt: skip
    def test_established_by_what_the_system_says(self, error: dict[str, Any]) -> None:
        """An error number, or an image that ends; memory and threading are ruled out."""
        trials = [*self.failing(**error), *LADDER]
        assert (status(IO, *trials), status(EXCEPTION, *trials)) == ("established", "ruled-out")

    @pytest.mark.parametrize(
        "error",
        [
            {"errno": errno.ENOMEM}, {"errno": errno.EAGAIN}, {"errno": errno.EMFILE}, {"errno": errno.EFBIG},
            {"errno": None, "message": "Can't load tokenizer"},
        ],
    )  # fmt: skip
    def test_other_numbers_do_not(self, error: dict[str, Any]) -> None:
        """Memory, threads, descriptors, a file's size; or an OSError that somebody raised: its type says nothing."""
        assert status(IO, *self.failing(**error), *LADDER) == "ruled-out"

    def test_rivals_must_be_ruled_out_first(self) -> None:
        """Without the ladder, memory is not decided."""
        finding = judged(IO, case(*self.failing(), controls=ALL))
        assert (finding.status, [gap.probe for gap in finding.gaps]) == ("supported", ["memory and threading"])

    def test_file_is_named(self) -> None:
        """As the exception has it."""
        finding = judged(IO, case(*self.failing(), *LADDER, controls=ALL))
        assert "file /data/best.pt" in finding.reasons[0].text and "ENOSPC" in finding.reasons[0].text

    def test_fault_behind_the_end_of_a_file(self) -> None:
        """The file is named; the native code that ran into it is not at fault."""
        dead = deaths(5, facts={**ALONE, "file_fault": CUT}, signal="SIGBUS")
        finding = judged(IO, case(*dead, *LADDER, controls=ALL))
        assert finding.status == "established"
        assert "byte 4096 of the mapped file /data/samples.bin, which has 4096" in finding.reasons[0].text
        assert status(NATIVE, *dead, *LADDER) == "ruled-out"

    def test_bus_error_alone_supports(self) -> None:
        """Without the address it may be anything."""
        dead = deaths(5, facts=ALONE, signal="SIGBUS")
        assert io_fault.predicts(dead[0])
        assert (status(IO, *dead, *LADDER), status(NATIVE, *dead, *LADDER)) == ("supported", "established")


class TestHang:
    """Standing still is how something shows itself."""

    HUNG: dict[str, Any] = {"hang_looks": 3, "hang_kind": "deadlock"}

    def hangs(self, number: int) -> list[Trial]:
        """Return trials that stood still and were looked at three times."""
        return [
            trial(one, "hung", signal="SIGKILL", ended_by="harness", factors=TWO, facts=self.HUNG)
            for one in range(1, number + 1)
        ]

    def test_is_the_cause_only_where_nothing_deeper_is(self) -> None:
        """One thread takes it away: then threading is what it is."""
        assert status(HANG, *self.hangs(5)) == "established"
        trials = [*self.hangs(5), *lives(5, "threads=1")]
        assert (status(THREADS, *trials), status(HANG, *trials)) == ("established", "ruled-out")
        assert status(HANG, *trials, controls=()) == "open"
