"""deliberate-exit and external-kill: which recorded call explains which end, and what Windows cannot tell."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import case, died, well

from harness.decide.hypotheses import deliberate_exit, external_kill
from harness.decide.hypotheses.calls import explaining_call, is_unexplained_on_windows

WINDOWS = {"exit_system": "win32"}
SENT = {
    "call": "os.kill", "signal": "SIGKILL", "target": 77, "thread": "MainThread", "pid": 77, "fatal": True,
}  # fmt: skip
NATIVE = {"call": "native exit", "code": 4, "thread": None, "possible": "_exit or quick_exit"}


def call(name: str, code: object) -> dict[str, Any]:
    """Return the facts of one recorded call."""
    return {"exit_call": {"call": name, "code": code, "thread": "MainThread"}}


class TestEffect:
    """A recorded call explains an end only where its effect is that end."""

    @pytest.mark.parametrize(
        ("name", "code", "exit_code", "explains"),
        [
            ("os._exit", 7, 7, True),
            ("os._exit", 7, 8, False),
            ("os._exit", 0, 0, True),
            ("os._exit", -1, 255, True),
            ("os._exit", 256, 0, True),
            ("os._exit", 263, 7, True),
            ("sys.exit", 3, 3, True),
            ("sys.exit", 3, 120, False),
            ("exit", 3, 3, True),
            ("exit", None, 3, False),
            ("native exit", 3, 3, False),
            ("end of main", 0, 0, False),
            ("atexit", None, 0, False),
            ("os.exec", None, 0, False),
            ("SystemExit in thread", 5, 0, True),
            ("SystemExit in thread", 5, 5, False),
        ],
    )
    def test_on_posix(self, name: str, code: object, exit_code: int, explains: bool) -> None:
        """The lowest byte of the status is the code; a thread's SystemExit leaves the process' code alone."""
        trial = died(code=exit_code, facts=call(name, code))
        assert (explaining_call(trial) is not None) is explains
        finding = deliberate_exit.judge(case(trial))
        assert finding.status == ("established" if explains else "supported")
        assert [gap.probe for gap in finding.gaps] == ([] if explains else ["exit call"])

    @pytest.mark.parametrize(
        ("code", "exit_code", "explains"), [(7, 7, True), (-1, 0xFFFFFFFF, True), (256, 256, True), (256, 0, False)]
    )
    def test_on_windows(self, code: int, exit_code: int, explains: bool) -> None:
        """All 32 bits are the code."""
        trial = died(code=exit_code, facts={**WINDOWS, **call("os._exit", code)})
        assert (explaining_call(trial) is not None) is explains

    def test_every_failure_needs_one(self) -> None:
        """A call explains its own trial alone."""
        mixed = case(died(code=7, facts=call("os._exit", 7)), died(2, code=7))
        assert deliberate_exit.judge(mixed).status == "supported"
        crash = case(died(code=7, facts=call("os._exit", 7)), died(2, signal="SIGSEGV"))
        assert deliberate_exit.judge(crash).status == "supported"

    def test_native_exit_is_worded(self) -> None:
        """Inferred, so it supports; the sentence says what could have been called."""
        finding = deliberate_exit.judge(case(died(code=4, facts={"exit_call": NATIVE})))
        assert finding.status == "supported"
        assert "no Python call ended it, so native code did: _exit or quick_exit" in finding.reasons[0].text


class TestWindows:
    """TerminateProcess from outside leaves any exit code, and no record."""

    @pytest.mark.parametrize("code", [0, 1, 3, 137, 0xFFFFFFFF])
    def test_code_alone_leaves_both_open(self, code: int) -> None:
        """Never a deliberate exit, never an external kill; each says why."""
        trial = died(code=code, facts=WINDOWS)
        assert is_unexplained_on_windows(trial)
        own, outside = deliberate_exit.judge(case(trial)), external_kill.judge(case(trial))
        assert (own.status, outside.status) == ("open", "open")
        assert "TerminateProcess from outside leaves any exit code" in own.gaps[0].reason
        assert outside.gaps[0].reason.startswith("cannot be told from exit code alone on Windows")

    def test_recorded_call_decides(self) -> None:
        """Then it is known."""
        trial = died(code=1, facts={**WINDOWS, **call("os._exit", 1)})
        assert deliberate_exit.judge(case(trial)).status == "established"
        assert not external_kill.predicts(trial)

    def test_exception_or_status_is_no_riddle(self) -> None:
        """A traceback explains code 1; an NTSTATUS is a fault."""
        error = {"type": "ValueError", "message": "m", "thread": "MainThread", "is_main": True}
        assert not external_kill.predicts(died(code=1, facts={**WINDOWS, "python_error": error}))
        fault = died(code=0xC0000005, ntstatus="0xC0000005", facts=WINDOWS)
        assert not external_kill.predicts(fault) and not deliberate_exit.predicts(fault)

    def test_code_on_posix_is_no_kill(self) -> None:
        """There a kill shows as a signal."""
        assert not external_kill.predicts(died(code=1))


class TestSignals:
    """Who sent it."""

    def test_own_is_deliberate_and_not_external(self) -> None:
        """The recorded call is the evidence."""
        trial = died(signal="SIGKILL", facts={"signal_sent": SENT})
        assert not external_kill.predicts(trial)
        finding = deliberate_exit.judge(case(trial))
        assert finding.status == "established"
        assert "by os.kill(77, SIGKILL) in thread MainThread of process 77" in finding.reasons[0].text

    def test_one_that_did_not_end_it_is_nothing(self) -> None:
        """A worker that was killed explains no later death of its parent by somebody else."""
        sent = {**SENT, "target": 78, "fatal": False}
        trial = died(signal="SIGKILL", ended_by="outside", facts={"signal_sent": sent})
        assert not deliberate_exit.predicts(trial)
        assert external_kill.judge(case(trial)).status == "supported"

    def test_nothing_failed(self) -> None:
        """Open, as for every rule."""
        assert {rule.judge(case(well())).status for rule in (deliberate_exit, external_kill)} == {"open"}
