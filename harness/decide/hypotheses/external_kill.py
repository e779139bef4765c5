"""external-kill: ended from outside, by somebody who is not this harness.

It predicts that the death comes even where no process of the trial has the power to send a deadly signal, and that
memory is not what made the kernel send it. Both are asked of the target: by a filter on its system calls, and by the
memory ladder.
"""

from __future__ import annotations

from harness.decide import memory_ladder, wants
from harness.decide.effects import Does
from harness.decide.hypotheses.calls import ending_signal, is_unexplained_on_windows, sent_by_itself
from harness.decide.hypotheses.case import Case, death_reasons, no_sign_of, nothing_to_judge
from harness.decide.interventions import NO_OWN_SIGNALS
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "external-kill"
SIGNALS = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGXCPU")  # not SIGINT: OpenBLAS raises it where it can start no thread
AT_A_LIMIT = ("SIGXCPU", "SIGXFSZ")  # the kernel sends them: resource-limit
SENDER = Gap("sender", "who sent the signal is not recorded")
OWN = Gap("own signals", "it is not shown that the death comes where the target can send no signal itself")
MEMORY = Gap("memory ladder", "it is not shown that it was not the kernel, for want of memory")
WINDOWS = Gap("sender", "cannot be told from exit code alone on Windows: TerminateProcess gives any code")


def predicts(trial: Trial) -> bool:
    """A signal that somebody else sent, not raised by a fault; on Windows also a code that no call explains."""
    return _is_sent(trial) or is_unexplained_on_windows(trial)


def _is_sent(trial: Trial) -> bool:
    """Whether the process, or the worker whose death it reports, died of a signal that it is not known to have sent."""
    if ending_signal(trial) in AT_A_LIMIT and any(want.by == "signal" for want in wants.of(trial)):
        return False
    worker = trial.exit.signal is None and ending_signal(trial) in SIGNALS and not sent_by_itself(trial)
    return trial.exit.ended_by == "outside" or worker


def judge(case: Case) -> Finding:
    """Established where the target cannot have sent it, and memory is ruled out; supported by the signal alone."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign_of(case, ID, "no trial was ended from outside")
    if case.ladder is not None and case.ladder.matches == memory_ladder.YES and not case.unlike:
        return Finding(ID, Status.RULED_OUT, case.ladder.reasons[-1:])
    does, effect = case.effect(NO_OWN_SIGNALS.id)
    if does is Does.REMOVES:
        text = "it is gone where the target can send no signal: the target sends it itself"
        return Finding(ID, Status.RULED_OUT, (*effect, Reason(text, effect[0].evidence)))
    reasons = (*effect, *_deaths(matching))
    if len(matching) == len(case.failures) and _cannot_be_own(case) and _is_not_memory(case):
        return Finding(ID, Status.ESTABLISHED, reasons)
    sent = any(_is_sent(trial) for trial in matching)
    return Finding(ID, Status.SUPPORTED if sent else Status.OPEN, reasons, _gaps(case, matching, sent))


def _cannot_be_own(case: Case) -> bool:
    """Whether the death came back where the filter is known to have been in force."""
    if case.study is None or case.study.does(NO_OWN_SIGNALS.id) is not Does.LEAVES:
        return False
    back = [trial for trial in case.study.under[NO_OWN_SIGNALS.id] if case.study.is_same(trial)]
    return ending_signal(case.study.reference) in SIGNALS and all(
        trial.value("own_signals_forbidden") for trial in back
    )


def _is_not_memory(case: Case) -> bool:
    return case.ladder is not None and case.ladder.matches == memory_ladder.NO and case.is_proven("memory-exhaustion")


def _deaths(matching: list[Trial]) -> tuple[Reason, ...]:
    return (*death_reasons(matching), *(reason for trial in matching for reason in _worker(trial)))


def _worker(trial: Trial) -> list[Reason]:
    fact = trial.fact("worker_death")
    if fact is None or trial.exit.signal:
        return []
    text = f"{trial.id}: its worker {fact.value['pid']} died first, of {fact.value['signal']}; the exception reports it"
    return [Reason(text, fact.sources)]


def _gaps(case: Case, matching: list[Trial], sent: bool) -> tuple[Gap, ...]:
    windows = any(map(is_unexplained_on_windows, matching))
    missing = ((not _cannot_be_own(case), OWN), (not _is_not_memory(case), MEMORY))
    told = tuple(gap for is_missing, gap in missing if sent and is_missing)
    return (*((SENDER, *told) if sent else ()), *((WINDOWS,) if windows else ()))
