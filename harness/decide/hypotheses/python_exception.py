"""python-exception: an exception that nobody caught, in any thread, and that reports nothing but itself.

An exception may be the messenger of another family: of a worker that was killed, of memory, threads or a file. Then
that family is the cause, and this one is ruled out as one.
"""

from __future__ import annotations

from harness.decide.hypotheses import external_kill, io_fault, memory_exhaustion, threading_fault
from harness.decide.hypotheses.case import Case, no_sign_of, nothing_to_judge, unproven
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "python-exception"
DEEPER = (memory_exhaustion, threading_fault, io_fault, external_kill)
STANDSTILL = "the exception only reports a standstill that the program's own time limit had noticed"
SOME = Gap("uncaught exception", "not every failure has one")
MESSENGER = Gap("worker's death", "why the worker died is not known; the exception only reports it")


def predicts(trial: Trial) -> bool:
    """An uncaught exception was recorded, and it reports something else than a standstill that was noticed."""
    return trial.value("python_error") is not None and not reports_standstill(trial)


def reports_standstill(trial: Trial) -> bool:
    """Whether the exception is a time limit's, of the program's own: the standstill is the failure."""
    return trial.value("standstill_reported") is not None


def judge(case: Case) -> Finding:
    """Established by the recorded traceback where every failure has one; supported where only some have.

    Ruled out as the cause where a deeper family is established; never established where it only reports a death.
    """
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        reports = any(reports_standstill(trial) and trial.value("python_error") for trial in case.failures)
        return no_sign_of(case, ID, STANDSTILL if reports else "no uncaught exception was recorded")
    reasons = tuple(_reason(trial) for trial in matching)
    cause = _deeper(case)
    if cause is not None:
        text = f"the exception is how {cause.id} shows itself; {cause.id} is established"
        return _ruled_out(case, (Reason(text, cause.reasons[0].evidence), *reasons))
    if len(matching) < len(case.failures):
        return Finding(ID, Status.SUPPORTED, reasons, (SOME,))
    if any(trial.value("worker_death") for trial in matching):
        return Finding(ID, Status.SUPPORTED, reasons, (MESSENGER,))
    return Finding(ID, Status.ESTABLISHED, reasons)


def _deeper(case: Case) -> Finding | None:
    findings = (hypothesis.judge(case) for hypothesis in DEEPER)
    return next((finding for finding in findings if finding.status is Status.ESTABLISHED), None)


def _ruled_out(case: Case, reasons: tuple[Reason, ...]) -> Finding:
    proven = case.is_proven(ID)
    return Finding(ID, Status.RULED_OUT if proven else Status.OPEN, reasons, () if proven else unproven(ID))


def _reason(trial: Trial) -> Reason:
    fact = trial.fact("python_error")
    assert fact is not None
    error = fact.value
    text = f"{trial.id}: {error['type']}: {error['message']} (uncaught in thread {error['thread']})"
    return Reason(text, fact.sources)
