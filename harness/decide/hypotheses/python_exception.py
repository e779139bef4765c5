"""python-exception: an exception that nobody caught, in any thread, and that reports nothing but itself.

An exception may be the messenger of another family: of a worker that was killed, of memory, threads or a file. Then
that family is the cause, and this one is ruled out as one.
"""

from __future__ import annotations

from harness.decide import judged, messengers
from harness.decide.hypotheses import (
    deliberate_exit,
    external_kill,
    illegal_instruction,
    io_fault,
    memory_exhaustion,
    native_fault,
    resource_limit,
    stack_overflow,
    threading_fault,
)
from harness.decide.hypotheses.case import Case, no_sign_of, nothing_to_judge, ruled_out
from harness.decide.hypotheses.speaking import con, pro
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "python-exception"
DEEPER = (
    memory_exhaustion, threading_fault, io_fault, resource_limit, external_kill, native_fault, stack_overflow,
    illegal_instruction, deliberate_exit,
)  # fmt: skip
STANDSTILL = "the exception only reports a standstill that the program's own time limit had noticed"
SOME = Gap("uncaught exception", "not every failure has one")
LATER = Gap("standstill", "the exception ended a thread, and the program went on without it before it stood still")
MESSENGER = Gap("first death", "another process died first, and why is not known; the exception only reports it")


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
    quoted = pro(_reason(trial) for trial in matching)
    first = con(reason for trial in matching for reason in _first_death(trial))  # which it only followed
    reasons = (*first, *quoted)
    cause = _deeper(case)
    if cause is not None:
        text = f"the exception is how {cause.id} shows itself; {cause.id} is established"
        return ruled_out(case, ID, (Reason(text, cause.reasons[0].evidence), *reasons))
    if len(matching) < len(case.failures):
        return Finding(ID, Status.SUPPORTED, reasons, (SOME,))
    if any(map(_went_on, matching)):
        return Finding(ID, Status.SUPPORTED, reasons, (LATER,))
    if any(judged.of(trial).error is None for trial in matching):
        return Finding(ID, Status.SUPPORTED, reasons, (MESSENGER,))
    standing, gaps = messengers.standing(matching)
    return Finding(ID, Status.SUPPORTED if gaps else Status.ESTABLISHED, (*reasons, *con(standing)), gaps)


def _went_on(trial: Trial) -> bool:
    """Whether the program went on for a while after the exception had ended a thread, and stood still only then."""
    error = trial.value("python_error") or {}
    return trial.outcome == "hung" and not error.get("is_main") and trial.fact("error_before_standstill") is None


def _deeper(case: Case) -> Finding | None:
    findings = (hypothesis.judge(case) for hypothesis in DEEPER)
    return next((finding for finding in findings if finding.status is Status.ESTABLISHED), None)


def _first_death(trial: Trial) -> tuple[Reason, ...]:
    """Say which other process died first, and how, where the exception in the observed process only followed."""
    words = judged.first_words(trial)
    return (Reason(f"{trial.id}: {words}", judged.of(trial).sources),) if words else ()


def _reason(trial: Trial) -> Reason:
    """Quote the exception: that of the process that died first, where it has one."""
    fact = trial.fact("python_error")
    assert fact is not None
    error = fact.value
    place = f"thread {error['thread']}" if judged.of(trial).is_observed else f"process {error.get('pid')}"
    text = f"{trial.id}: {error['type']}: {' '.join(str(error['message']).split())} (uncaught in {place})"
    return Reason(text, fact.sources)
