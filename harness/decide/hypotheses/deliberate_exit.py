"""deliberate-exit: the program ended itself before its work was done, by a recorded call or with an exit code."""

from __future__ import annotations

from harness.decide import judged, messengers
from harness.decide.hypotheses import io_fault, memory_exhaustion, resource_limit
from harness.decide.hypotheses.calls import (
    explaining_call,
    is_raised_by_native_code,
    is_unexplained_on_windows,
    library_exit,
)
from harness.decide.hypotheses.case import Case, exit_source, no_sign_of, nothing_to_judge, ruled_out
from harness.decide.hypotheses.speaking import con, pro
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "deliberate-exit"
UNSEEN = Gap("exit call", "no Python call was recorded: native code called exit, or main ended with work left")
RAISED = Gap("signal", "native code sent it, of the program or of a library: which of them is not recorded")
OUTSIDE = Gap("exit call", "on Windows a TerminateProcess from outside leaves any exit code, and no call was recorded")


def predicts(trial: Trial) -> bool:
    """An exit code and no exception that explains it, or a signal that the program sent to itself.

    Not where a library called exit() for itself, where a signal asked for the end, or of a tool that is no Python.
    """
    death = judged.of(trial)
    if trial.outcome != "died" or trial.exit.ntstatus or death.is_orderly or death.is_tool:
        return False
    if trial.value("standstill_reported"):
        return False  # a watchdog's exit only reports a standstill
    if death.code is None:
        return explaining_call(trial) is not None or is_raised_by_native_code(trial)
    return death.error is None and library_exit(trial) is None


def judge(case: Case) -> Finding:
    """Established where every failure has a recorded call that fits; supported where the code alone says so."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return _by_a_library(case) or no_sign_of(case, ID, "no trial ended with an exit code before its work was done")
    reasons = pro(_reason(trial) for trial in matching)
    deeper = (rule.judge(case) for rule in (memory_exhaustion, resource_limit, io_fault))
    cause = next((finding for finding in deeper if finding.status is Status.ESTABLISHED), None)
    if cause is not None:
        text = f"the exit is how {cause.id} shows itself; {cause.id} is established"
        return ruled_out(case, ID, (Reason(text, cause.reasons[0].evidence), *reasons))
    standing, unexplained = messengers.standing(matching)
    if unexplained:
        return Finding(ID, Status.SUPPORTED, (*reasons, *con(standing)), (*_gaps(matching), *unexplained))
    return Finding(ID, _status(case, matching), reasons, _gaps(matching))


def _by_a_library(case: Case) -> Finding | None:
    """Return the finding where exit() was called, but by a library, which reports something by it."""
    found = [(trial, fact) for trial in case.failures if (fact := library_exit(trial)) is not None]
    if not found:
        return None
    trial, fact = found[0]
    caller = fact.value["caller"]
    name = f" ({caller['function']})" if caller["function"] else ""
    text = f"{trial.id}: exit({fact.value['code']}) was called by {caller['library']}{name}, not by the program's code"
    return ruled_out(case, ID, (Reason(text, fact.sources),))


def _status(case: Case, matching: list[Trial]) -> Status:
    if all(predicts(trial) and explaining_call(trial) for trial in case.failures):
        return Status.ESTABLISHED
    return Status.OPEN if any(map(is_unexplained_on_windows, matching)) else Status.SUPPORTED


def _gaps(matching: list[Trial]) -> tuple[Gap, ...]:
    silent = [trial for trial in matching if explaining_call(trial) is None]
    if any(map(is_raised_by_native_code, silent)):
        return (RAISED,)
    windows = any(map(is_unexplained_on_windows, silent))
    return (OUTSIDE,) if windows else (UNSEEN,) if silent else ()


def _of_process(trial: Trial) -> str:
    death = judged.of(trial)
    return f"its process {death.pid} ended first, with {death.signal or f'exit code {death.code}'}"


def _early(trial: Trial) -> str:
    return ", in the middle of its training" if trial.fact("early_end") else ""


def _reason(trial: Trial) -> Reason:
    call = explaining_call(trial)
    if call is not None:
        how = trial.exit.meaning if judged.of(trial).is_observed else _of_process(trial)
        return Reason(f"{trial.id}: {how}, by {call[0]}{_early(trial)}", call[1])
    native = next((fact for fact in trial.facts if fact.name == "exit_call" and "possible" in fact.value), None)
    if native is not None:
        text = (
            f"{trial.id}: {trial.exit.meaning}; no Python call ended it, so native code did: {native.value['possible']}"
        )
        return Reason(text, native.sources)
    if is_raised_by_native_code(trial):
        sent = judged.delivery(trial)
        text = f"{trial.id}: {judged.of(trial).signal}, which native code of the process that died sent to itself"
        return Reason(text, sent.sources if sent else (exit_source(trial),))
    return Reason(f"{trial.id}: {trial.exit.meaning}, and the work was not done", (exit_source(trial),))
