"""external-kill: ended from outside, by somebody who is not this harness.

Where the sender of the signal was seen, that decides: a stranger to the target's tree, or the terminal that went away,
establishes it at once; the program itself, its tree, or the kernel on its behalf rules it out. Where it was not, the
rule predicts that the death comes even where no process of the trial has the power to send a deadly signal, and that
memory is not what made the kernel send it. Both are asked of the target: by a filter on its system calls, and by the
memory ladder. An end that a signal asked for and a handler brought about is a death by that signal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.decide import judged, memory_ladder, observed, wants
from harness.decide.effects import Does
from harness.decide.hypotheses.calls import ending_signal, is_unexplained_on_windows, sent_by_itself
from harness.decide.hypotheses.case import Case, death_reasons, exit_source, no_sign_of, nothing_to_judge, ruled_out
from harness.decide.hypotheses.speaking import by_effect, con, pro
from harness.decide.interventions import NO_OWN_SIGNALS
from harness.model import Finding, Gap, Reason, Speaks, Status, Trial

ID = "external-kill"
SIGNALS = (  # not SIGINT: OpenBLAS raises it where it can start no thread
    "SIGKILL", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGPWR",
)  # fmt: skip
ON_BEHALF = ("SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGPOLL", "SIGXFSZ", "SIGSTKFLT")  # a timer's, a descriptor's
PIPE = "SIGPIPE"
USUAL = {
    "SIGUSR1": "schedulers send it before a time limit (Slurm's --signal=USR1), and nothing handled it",
    "SIGUSR2": "schedulers send it before a time limit (SGE's -notify, LSF), and nothing handled it",
    "SIGTERM": "schedulers, containers and systemd ask to end by it",
    "SIGHUP": "a terminal or a session that goes away sends it",
    "SIGPWR": "a power supply or an init system sends it",
}
WRITTEN = "SIGPIPE comes of the program's own write to a pipe that nobody reads any more; a sender was not seen"
TIMED = Gap("sender", "the program's own timers and descriptors can send such a signal, and the sender was not seen")
AT_A_LIMIT = ("SIGXCPU", "SIGXFSZ")  # the kernel sends them: resource-limit
SENDER = Gap("sender", "who sent the signal is not recorded")
HANDLED = Gap("handler", "what the program's handler did with the signal is not recorded: it may have ended it, or not")
OWN = Gap("own signals", "it is not shown that the death comes where the target can send no signal itself")
MEMORY = Gap("memory ladder", "it is not shown that it was not the kernel, for want of memory")
WINDOWS = Gap("sender", "cannot be told from exit code alone on Windows: TerminateProcess gives any code")


def predicts(trial: Trial) -> bool:
    """A signal that somebody else sent, not raised by a fault, or that a handler took right before an exit; on Windows
    also a code that no call explains.
    """
    return _is_sent(trial) or is_unexplained_on_windows(trial) or bool(judged.asked_quietly(trial))


def _is_sent(trial: Trial) -> bool:
    """Whether the process, or the worker whose death it reports, died of a signal that it is not known to have sent."""
    if judged.is_from_outside(trial):
        return True
    if sent_by_itself(trial) or ending_signal(trial) == PIPE or observed.oom_kill(trial) is not None:
        return False
    if ending_signal(trial) in AT_A_LIMIT and any(want.by == "signal" for want in wants.of(trial)):
        return False
    death = judged.of(trial)
    if death.is_observed:
        return trial.exit.ended_by == "outside"
    return trial.outcome == "died" and (death.signal in (*SIGNALS, *ON_BEHALF) or _is_real_time(death.signal))


def judge(case: Case) -> Finding:
    """Established where the target cannot have sent it, and memory is ruled out; supported by the signal alone."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if all(judged.is_from_outside(trial) for trial in case.failures):
        return Finding(ID, Status.ESTABLISHED, (*_senders(case.failures), *_deaths(matching)))
    if not matching:
        return _within(case) or no_sign_of(case, ID, "no signal from outside ended a trial")
    if case.ladder is not None and case.ladder.matches == memory_ladder.YES and not case.unlike:
        why = case.ladder.reasons[-1]  # which speaks for memory there, and so against this
        return Finding(ID, Status.RULED_OUT, (Reason(why.text, why.evidence),))
    does, effect = case.effect(NO_OWN_SIGNALS.id)
    if does is Does.REMOVES:
        text = "it is gone where the target can send no signal: the target sends it itself"
        return Finding(ID, Status.RULED_OUT, (*effect, Reason(text, effect[0].evidence)))
    quiet = tuple(reason for trial in matching for reason in _handled(trial))
    if quiet and not any(_is_sent(trial) for trial in matching):
        return Finding(ID, Status.SUPPORTED, (*quiet, *_deaths(matching)), (HANDLED,))
    reasons = pro((*by_effect(does, effect, removed=Speaks.AGAINST), *_deaths(matching)))
    if any(_is_on_behalf(trial) for trial in matching):
        return Finding(ID, Status.SUPPORTED, reasons, (TIMED,))
    if len(matching) == len(case.failures) and _cannot_be_own(case) and _is_not_memory(case):
        return Finding(ID, Status.ESTABLISHED, reasons)
    sent = any(_is_sent(trial) for trial in matching)
    return Finding(ID, Status.SUPPORTED if sent else Status.OPEN, reasons, _gaps(case, matching, sent))


def _within(case: Case) -> Finding | None:
    """Return the finding where a sender within was seen, or where it is a write to a closed pipe."""
    seen = [(trial, sent) for trial in case.failures if (sent := judged.delivery(trial)) and judged.sender(trial)]
    if seen and len(seen) == len(case.failures):
        told = (Reason(f"{trial.id}: {_word(sent.value)}", sent.sources) for trial, sent in seen)
        return ruled_out(case, ID, told)
    pipes = [trial for trial in case.failures if ending_signal(trial) == PIPE]
    return Finding(ID, Status.OPEN, con((Reason(WRITTEN, tuple(map(exit_source, pipes))),))) if pipes else None


def _senders(failures: Iterable[Trial]) -> tuple[Reason, ...]:
    """Say who sent each signal, and who usually does."""
    seen = ((trial, sent) for trial in failures if (sent := judged.delivery(trial)) is not None)
    return tuple(Reason(f"{trial.id}: {_word(sent.value)}{_usual(trial)}", sent.sources) for trial, sent in seen)


def _word(sent: dict[str, Any]) -> str:
    who = {"kernel": "the kernel", "oom-killer": "the OOM killer", "itself": "the process itself"}.get(sent["by"])
    user = f", user {sent['sender_user']}" if sent.get("sender_user") else ""
    named = f"{sent.get('sender_command') or 'a process that is gone'}, process {sent.get('sender')}{user}"
    return f"{sent['signal']} was sent to process {sent['target']} by {who or named + judged.birth(sent['by'])}"


def _handled(trial: Trial) -> list[Reason]:
    """Say which signal a handler took, how long before the exit."""
    found = [(fact, fact.value["before_death_seconds"]) for fact in judged.asked_quietly(trial)]
    text = "{}: {} {:.2f} s before its exit, and a handler took it"
    return [Reason(text.format(trial.id, _word(fact.value), ago), fact.sources) for fact, ago in found]


def _usual(trial: Trial) -> str:
    told = USUAL.get(ending_signal(trial) or "")
    return f"; {told}" if told else ""


def _is_real_time(name: str | None) -> bool:
    return name is not None and name.startswith(("SIGRT", "signal "))


def _is_on_behalf(trial: Trial) -> bool:
    """Whether the program can have asked the kernel for the signal, by a timer or for a descriptor."""
    name = ending_signal(trial)
    return (name in ON_BEHALF or _is_real_time(name)) and not judged.is_from_outside(trial)


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
    if fact is None or judged.of(trial).is_observed:
        return []
    what = "tool" if fact.value.get("started_by") == "tool" else "worker"
    text = f"{trial.id}: its {what} {fact.value['pid']} died first, of {fact.value['signal']}; the exception reports it"
    return [Reason(text, fact.sources)]


def _gaps(case: Case, matching: list[Trial], sent: bool) -> tuple[Gap, ...]:
    windows = any(map(is_unexplained_on_windows, matching))
    missing = ((not _cannot_be_own(case), OWN), (not _is_not_memory(case), MEMORY))
    told = tuple(gap for is_missing, gap in missing if sent and is_missing)
    return (*((SENDER, *told) if sent else ()), *((WINDOWS,) if windows else ()))
