"""hang: alive, and nothing moves."""

from __future__ import annotations

from harness.decide.hypotheses import memory_exhaustion, python_exception, threading_fault
from harness.decide.hypotheses.case import Case, death_reasons, no_sign_of, nothing_to_judge, ruled_out
from harness.facts.hang import ranks
from harness.model import Fact, Finding, Gap, Reason, Status, Trial

ID = "hang"
LOOKS = 3
LEAST_LOST = 2  # failures in which a thread was lost just then: once may be chance
MOST_SENTENCES = 6
MOST_PROCESSES = 8
WAKES = ("waiting in sleep", "merely slow")
DOUBTS = {
    "unknown": "what was seen fits no kind of hang, or the tools were refused",
    "waiting in sleep": "a sleep ends by itself: a longer limit would tell whether the program then goes on",
    "spinning": "a very long computation looks the same from outside: a longer limit would tell the two apart",
    "native loop holding the GIL": "a very long native call looks the same: a longer limit would tell the two apart",
    "polling": "what it asks for again and again may still come: a longer limit would tell whether the program goes on",
    "blocked I/O": "a very slow device or peer looks the same: a longer limit would tell the two apart",
}


def predicts(trial: Trial) -> bool:
    """The trial was ended for want of progress, by us or by a watchdog of its own."""
    return trial.outcome == "hung" or is_reported(trial)


def is_reported(trial: Trial) -> bool:
    """Whether the program ended itself because something of its own had noticed a standstill."""
    return trial.outcome == "died" and trial.fact("standstill_reported") is not None


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
        text = f"standing still is how {cause.id} shows itself; {cause.id} is established"
        return ruled_out(case, ID, (Reason(text, cause.reasons[0].evidence),))
    lost = _lost(case)
    if lost:
        return ruled_out(case, ID, lost)
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


def _lost(case: Case) -> tuple[Reason, ...]:
    """Return what says that in each failure an exception ended a thread right when everything came to stand still."""
    told = [(trial, fact) for trial in case.failures for fact in _all(trial, "error_before_standstill", 1)]
    if len(told) < max(LEAST_LOST, len(case.failures)):
        return ()
    if python_exception.judge(case).status is not Status.ESTABLISHED:
        return ()
    return tuple(
        Reason(
            f"{trial.id}: {fact.value['type']} ended thread {fact.value['thread']} {abs(fact.value['seconds']):.2f} s "
            "from the last progress: what it was to bring never came",
            fact.sources,
        )
        for trial, fact in told
    )


def _is_confirmed(trial: Trial) -> bool:
    return (trial.value("hang_looks") or 0) >= LOOKS


def _reasons(trial: Trial) -> list[Reason]:
    """The limit, the kind, whether anybody could end it, the story, each process, each thread, what was printed."""
    reasons = [*_reported(trial), *_limit(trial), *_closed(trial)]
    reasons += [Reason(f"{trial.id}: {fact.value}", fact.sources) for fact in _all(trial, "hang_story", MOST_SENTENCES)]
    processes = _all(trial, "hang_process", MOST_PROCESSES)
    told = ranks.uneven(processes)
    sources = tuple(fact.sources[-1] for fact in processes if fact.sources)
    reasons += [Reason(f"{trial.id}: {told}", sources)] if told else []
    reasons += [Reason(f"{trial.id}: {_process(fact)}", fact.sources) for fact in processes]
    waits = _all(trial, "hang_wait", MOST_SENTENCES)
    said = {fact.value["says"] for fact in processes}
    reasons += [Reason(f"{trial.id}: {fact.value}", fact.sources) for fact in waits if fact.value not in said]
    return reasons + [_printed(trial, fact) for fact in _all(trial, "printed_error", MOST_SENTENCES)[: _most(trial)]]


def _most(trial: Trial) -> int | None:
    """Of the exceptions that were printed, the last is the end itself where an uncaught one ended the program."""
    return -1 if trial.value("python_error") and is_reported(trial) else None


def _all(trial: Trial, name: str, most: int) -> list[Fact]:
    return [fact for fact in trial.facts if fact.name == name][:most]


def _limit(trial: Trial) -> list[Reason]:
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
    return reasons


def _reported(trial: Trial) -> list[Reason]:
    """The program's own watchdog: its exit or its exception is how the standstill was told."""
    fact = trial.fact("standstill_reported") if is_reported(trial) else None
    if fact is None:
        return []
    where = f"; it stood in {fact.value['at']}" if fact.value["at"] else ""
    text = f"{trial.id}: it ended itself because it had stood still: {fact.value['by']} says {fact.value['words']!r}"
    return [Reason(text + where, fact.sources)]


def _closed(trial: Trial) -> list[Reason]:
    """Nobody is left who could end it; else what could."""
    fact = trial.fact("hang_closed")
    if fact is None:
        return []
    value = fact.value
    if not value["closed"]:
        return [Reason(f"{trial.id}: it could still go on: {value['open_by']}", fact.sources)]
    text = (
        f"{trial.id}: nobody is left who could end it: in {value['seconds']:.1f} s none of {value['threads']} threads"
    )
    text += f" in {value['processes']} processes used a tick of CPU time or was switched to, and each waits, without a"
    return [Reason(f"{text} time limit, for something that only another of them could do", fact.sources)]


def _process(fact: Fact) -> str:
    value = fact.value
    rank = f"rank {value['rank']}" if value["rank"] is not None else f"process {value['process']}"
    steps = f", {value['steps_done']} steps done, {value['at']}" if value["at"] else ""
    return f"{rank}{steps}: {value['says']}"


def _printed(trial: Trial, fact: Fact) -> Reason:
    count = f" ({fact.value['count']} times)" if fact.value["count"] > 1 else ""
    where = f", in {fact.value['place']}" if fact.value["place"] else ""
    return Reason(f"{trial.id}: printed before, and not fatal: {fact.value['words']}{count}{where}", fact.sources)


def _stillness(trial: Trial, idle: Fact) -> str:
    median = trial.value("median_step_seconds")
    pace = f" ({idle.value / median:.0f} times the median step of {median:.3g} s)" if median else ""
    allowed = trial.value("allowed_idle_seconds")
    most = f", where {allowed:.1f} s were allowed" if allowed else ""
    return f"no flight record and no output for {idle.value:.1f} s{pace}{most}"


def _gaps(trial: Trial) -> list[Gap]:
    if trial.fact("halted") is not None:
        return []
    if is_reported(trial):
        text = "only the program's own watchdog saw it: without that limit it would be looked at while it stands still"
        return [Gap("hang snapshots", f"{trial.id}: {text}")]
    if not _is_confirmed(trial):
        return [
            Gap(
                "hang snapshots",
                f"{trial.id}: no stacks were taken while it stood still, so deadlock and livelock are not told apart",
            )
        ]
    doubt = DOUBTS.get(trial.value("hang_kind"))
    return [Gap("hang snapshots", f"{trial.id}: {doubt}")] if doubt else []
