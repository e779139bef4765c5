"""hang: alive, and nothing moves."""

from __future__ import annotations

from harness.decide.hypotheses import memory_exhaustion, threading_fault
from harness.decide.hypotheses.case import Case, death_reasons, no_sign_of, nothing_to_judge, unproven
from harness.model import Fact, Finding, Gap, Reason, Status, Trial

ID = "hang"
LOOKS = 3
MOST_SENTENCES = 6
WAKES = ("waiting in sleep", "merely slow")
DOUBTS = {
    "unknown": "what was seen fits no kind of hang, or the tools were refused",
    "waiting in sleep": "a sleep ends by itself: a longer limit would tell whether the program then goes on",
    "spinning": "a very long computation looks the same from outside: a longer limit would tell the two apart",
    "native loop holding the GIL": "a very long native call looks the same: a longer limit would tell the two apart",
    "blocked I/O": "a very slow device or peer looks the same: a longer limit would tell the two apart",
}


def predicts(trial: Trial) -> bool:
    """The trial was ended for want of progress."""
    return trial.outcome == "hung"


def judge(case: Case) -> Finding:
    """Established where all failures stood still, and three looks, a second apart, saw each of them not move.

    That a program hangs is what the looks observe directly, so no intervention is needed. Why it hangs is another
    hypothesis' question: where that is answered, this is no cause of its own. Supported where a hang was not looked at
    so, where it only slept, or where other trials failed otherwise.
    """
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign_of(case, ID, "no trial stood still")
    cause = _deeper(case)
    if cause is not None:
        return _ruled_out(case, cause, death_reasons(matching))
    confirmed = all(
        trial.fact("halted") is not None or (_is_confirmed(trial) and trial.value("hang_kind") not in WAKES)
        for trial in case.failures
    )
    reasons = (*death_reasons(matching), *(reason for trial in matching for reason in _reasons(trial)))
    return Finding(
        ID,
        Status.ESTABLISHED if confirmed else Status.SUPPORTED,
        reasons,
        tuple(gap for trial in matching for gap in _gaps(trial)),
    )


def _deeper(case: Case) -> Finding | None:
    findings = (hypothesis.judge(case) for hypothesis in (threading_fault, memory_exhaustion))
    return next((finding for finding in findings if finding.status is Status.ESTABLISHED), None)


def _ruled_out(case: Case, cause: Finding, deaths: tuple[Reason, ...]) -> Finding:
    text = f"standing still is how {cause.id} shows itself; {cause.id} is established"
    reasons = (Reason(text, cause.reasons[0].evidence), *deaths)
    proven = case.is_proven(ID)
    return Finding(ID, Status.RULED_OUT if proven else Status.OPEN, reasons, () if proven else unproven(ID))


def _is_confirmed(trial: Trial) -> bool:
    return (trial.value("hang_looks") or 0) >= LOOKS


def _reasons(trial: Trial) -> list[Reason]:
    """The limit, the kind, and who waits for what."""
    reasons = []
    idle, kind = trial.fact("idle_seconds"), trial.fact("hang_kind")
    if idle:
        reasons.append(Reason(f"{trial.id}: {_stillness(trial, idle)}", idle.sources))
    if kind and _is_confirmed(trial):
        text = f"{trial.id}: {kind.value}: no progress was seen by {trial.value('hang_looks')} looks, a second apart"
        reasons.append(Reason(text, kind.sources))
    reasons += [
        Reason(f"{trial.id}: {fact.value['words']}", fact.sources) for fact in trial.facts if fact.name == "halted"
    ]
    waits = [fact for fact in trial.facts if fact.name == "hang_wait"]
    return reasons + [Reason(f"{trial.id}: {fact.value}", fact.sources) for fact in waits[:MOST_SENTENCES]]


def _stillness(trial: Trial, idle: Fact) -> str:
    median = trial.value("median_step_seconds")
    pace = f" ({idle.value / median:.0f} times the median step of {median:.3g} s)" if median else ""
    return f"no flight record and no output for {idle.value:.1f} s{pace}"


def _gaps(trial: Trial) -> list[Gap]:
    if trial.fact("halted") is not None:
        return []
    if not _is_confirmed(trial):
        return [
            Gap(
                "hang snapshots",
                f"{trial.id}: no stacks were taken while it stood still, so deadlock and livelock are not told apart",
            )
        ]
    doubt = DOUBTS.get(trial.value("hang_kind"))
    return [Gap("hang snapshots", f"{trial.id}: {doubt}")] if doubt else []
