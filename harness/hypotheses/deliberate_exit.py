"""deliberate-exit: the program ended itself with an exit code, before its work was done."""

from __future__ import annotations

from harness.hypotheses.case import Case, exit_source, no_sign, nothing_to_judge
from harness.model import Finding, Gap, Reason, Source, Status, Trial

ID = "deliberate-exit"


def predicts(trial: Trial) -> bool:
    """An exit code, and no exception that explains it."""
    return (
        trial.outcome == "died"
        and trial.exit.code is not None
        and not trial.exit.ntstatus
        and trial.value("python_error") is None
    )


def judge(case: Case) -> Finding:
    """Established by the recorded call where every failure has one; supported where the code alone says so."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign(
            ID,
            "no trial ended with an exit code before its work was done",
            tuple(exit_source(trial) for trial in case.failures),
        )
    return Finding(
        ID,
        Status.ESTABLISHED if all(_call(trial) for trial in case.failures) else Status.SUPPORTED,
        tuple(_reason(trial) for trial in matching),
        ()
        if all(_call(trial) for trial in matching)
        else (Gap("exit call", "no Python call was recorded: native code called exit, or main ended with work left"),),
    )


CALLS = ("os._exit", "sys.exit", "SystemExit in thread")


def _call(trial: Trial) -> tuple[str, tuple[Source, ...]] | None:
    """Return the recorded call that ended the trial, worded, and where it is recorded."""
    facts = (fact for fact in trial.facts if fact.name == "exit_call" and fact.value["call"] in CALLS)
    return next(
        (
            (f"{fact.value['call']}({fact.value['code']}) in thread {fact.value['thread']}", fact.sources)
            for fact in facts
        ),
        None,
    )


def _reason(trial: Trial) -> Reason:
    call = _call(trial)
    if call is None:
        return Reason(f"{trial.id}: {trial.exit.meaning}, and the work was not done", (exit_source(trial),))
    return Reason(f"{trial.id}: {trial.exit.meaning}, by {call[0]}", call[1])
