"""python-exception: an exception that nobody caught, in any thread."""

from __future__ import annotations

from harness.hypotheses.case import Case, no_sign_of, nothing_to_judge
from harness.model import Finding, Reason, Status, Trial

ID = "python-exception"


def predicts(trial: Trial) -> bool:
    """An uncaught exception was recorded."""
    return trial.value("python_error") is not None


def judge(case: Case) -> Finding:
    """Established by the recorded traceback where every failure has one; supported where only some have."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign_of(case, ID, "no uncaught exception was recorded")
    return Finding(
        ID,
        Status.ESTABLISHED if len(matching) == len(case.failures) else Status.SUPPORTED,
        tuple(_reason(trial) for trial in matching),
        (),
    )


def _reason(trial: Trial) -> Reason:
    fact = trial.fact("python_error")
    assert fact is not None
    error = fact.value
    text = f"{trial.id}: {error['type']}: {error['message']} (uncaught in thread {error['thread']})"
    return Reason(text, fact.sources)
