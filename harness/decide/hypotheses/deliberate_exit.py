"""deliberate-exit: the program ended itself before its work was done, by a recorded call or with an exit code."""

from __future__ import annotations

from harness.decide.hypotheses.calls import explaining_call, is_unexplained_on_windows
from harness.decide.hypotheses.case import Case, exit_source, no_sign_of, nothing_to_judge
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "deliberate-exit"
UNSEEN = Gap("exit call", "no Python call was recorded: native code called exit, or main ended with work left")
OUTSIDE = Gap("exit call", "on Windows a TerminateProcess from outside leaves any exit code, and no call was recorded")


def predicts(trial: Trial) -> bool:
    """An exit code and no exception that explains it, or a signal that the program sent to itself."""
    if trial.outcome != "died" or trial.exit.ntstatus or trial.value("standstill_reported"):
        return False  # a watchdog's exit only reports a standstill
    if trial.exit.code is None:
        return explaining_call(trial) is not None
    return trial.value("python_error") is None


def judge(case: Case) -> Finding:
    """Established where every failure has a recorded call that fits; supported where the code alone says so."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign_of(case, ID, "no trial ended with an exit code before its work was done")
    return Finding(ID, _status(case, matching), tuple(_reason(trial) for trial in matching), _gaps(matching))


def _status(case: Case, matching: list[Trial]) -> Status:
    if all(predicts(trial) and explaining_call(trial) for trial in case.failures):
        return Status.ESTABLISHED
    return Status.OPEN if any(map(is_unexplained_on_windows, matching)) else Status.SUPPORTED


def _gaps(matching: list[Trial]) -> tuple[Gap, ...]:
    silent = [trial for trial in matching if explaining_call(trial) is None]
    windows = any(map(is_unexplained_on_windows, silent))
    return (OUTSIDE,) if windows else (UNSEEN,) if silent else ()


def _reason(trial: Trial) -> Reason:
    call = explaining_call(trial)
    if call is not None:
        return Reason(f"{trial.id}: {trial.exit.meaning}, by {call[0]}", call[1])
    native = next((fact for fact in trial.facts if fact.name == "exit_call" and "possible" in fact.value), None)
    if native is not None:
        text = (
            f"{trial.id}: {trial.exit.meaning}; no Python call ended it, so native code did: {native.value['possible']}"
        )
        return Reason(text, native.sources)
    return Reason(f"{trial.id}: {trial.exit.meaning}, and the work was not done", (exit_source(trial),))
