"""Findings -> Verdict: the gates. Pure. A verdict may be wrong by being open, never by naming a wrong cause."""

from __future__ import annotations

from collections.abc import Sequence

from harness.decide import (
    judged,
    next_commands,
    observed,
    survived_refusals,
)
from harness.decide.effects import Does
from harness.decide.failing_region import failing_region
from harness.decide.hypotheses import HYPOTHESES, threading_fault
from harness.decide.hypotheses.case import Case
from harness.decide.interventions import NO_PROBES, ONE_THREAD
from harness.decide.next_commands import (
    MUST_BE_DECIDED,
)
from harness.decide.statistics import rate_below
from harness.facts.ended.outcome import IN_SHUTDOWN
from harness.model import Experiment, Finding, Outcome, Status, Trial, Verdict, VerdictStatus

FOLLOWED = ("memory-exhaustion", "threading-fault", "native-fault", "stack-overflow")  # judged on one failure alone


def decide(case: Case, findings: Sequence[Finding], plan: str, resume: str | None = None) -> Verdict:
    """Return the verdict; `plan` is how the user names the plan on the command line.

    `resume`: the command that goes on with this inquest, where its budget was spent or it was interrupted.
    """
    if not case.failures:
        return _without_failure(case, plan, resume)
    rivals = {hypothesis.ID for hypothesis in HYPOTHESES if any(hypothesis.predicts(trial) for trial in case.failures)}
    cause = gate(findings, rivals)
    if _is_of_the_observer(case):
        return _observer(case, plan)
    is_mixed = _is_mixed(case, cause)
    if cause is not None and not (cause in FOLLOWED and is_mixed):
        return Verdict(VerdictStatus.NAMED, cause, f"The cause is {cause}. {_what_failed(case)}")
    return Verdict(
        VerdictStatus.OPEN,
        None,
        f"{_what_failed(case)} {_why_open(findings, is_mixed)}",
        next_commands.after(case, findings, plan, resume),
    )


def gate(findings: Sequence[Finding], rivals: set[str]) -> str | None:
    """Return the cause that may be named, or None.

    Memory exhaustion and threading must each be decided, exactly one hypothesis established, and every other one that
    predicts the failure that was seen ruled out.
    """
    status = {finding.id: finding.status for finding in findings}
    established = [name for name, value in status.items() if value is Status.ESTABLISHED]
    decided = all(status.get(name, Status.OPEN).is_decided for name in MUST_BE_DECIDED)
    if len(established) != 1 or not decided:
        return None
    others = rivals - {established[0]}
    return established[0] if all(status.get(name) is Status.RULED_OUT for name in others) else None


def _is_mixed(case: Case, cause: str | None) -> bool:
    """Whether there was more than one failure: in whatever cell, or at one thread, where deaths stand for repeats.

    Not where each of them was itself seen to be of the cause: what was refused strikes wherever the next need is.
    """
    others = case.study.others if case.study else ()
    if cause is not None and observed.known((*case.failures, *others)) == cause:
        return False
    if cause == threading_fault.ID and _is_one_race(case):
        return False
    return bool(case.unlike) or any(ONE_THREAD.id in trial.interventions for trial in others)


def _is_one_race(case: Case) -> bool:
    """Whether faults of several kinds, all of one cell, are gone at one thread: a race's damage shows in many ways."""
    study = case.study
    under = study.under.get(ONE_THREAD.id, ()) if study else ()
    if study is None or not under or any(trial.outcome != Outcome.COMPLETED for trial in under):
        return False
    return all(
        trial.cell == study.cell and threading_fault.predicts(trial) for trial in (*case.failures, *study.others)
    )


def _is_of_the_observer(case: Case) -> bool:
    """Whether the failure goes away with the inside probes: then it is not the target's alone."""
    return case.study is not None and case.study.does(NO_PROBES.id) is Does.REMOVES


def _observer(case: Case, plan: str) -> Verdict:
    _, reasons = case.effect(NO_PROBES.id)
    text = f"{_what_failed(case)} No cause may be named: the failure depends on being observed. {reasons[0].text}."
    again = Experiment("whether the target fails unobserved", f"{plan} --set inside_probes=false --set repeats=12")
    return Verdict(VerdictStatus.OPEN, None, text, (again,))


def _only_unobserved(case: Case, plan: str) -> Verdict | None:
    """What failed without the inside probes alone is no failure that this inquest can explain, and no success."""
    bare = [trial for trial in case.trials if NO_PROBES.id in trial.interventions and trial.outcome.is_failure]
    if not bare:
        return None
    text = f"No failure was seen while the target was observed from inside, but {bare[0].id} failed without the inside "
    text += f"probes ({_how(bare)}): observing may be what keeps it alive."
    again = Experiment("whether it fails only unobserved", f"{plan} --set inside_probes=false --set repeats=12")
    return Verdict(VerdictStatus.OPEN, None, text, (again,))


def _without_failure(case: Case, plan: str, resume: str | None) -> Verdict:
    unobserved = _only_unobserved(case, plan)
    if unobserved is not None:
        return unobserved
    unresolved = [trial.id for trial in case.trials if trial.outcome is Outcome.UNRESOLVED]
    if unresolved or not case.trials:
        text = f"No failure was seen, but {len(unresolved)} of {len(case.trials)} trials ended unresolved"
        text += f": {', '.join(unresolved)}." if unresolved else ": none was run to its end."
        longer = Experiment("how these trials end", f"{plan} --set limits.wall_seconds=600")
        begin = Experiment("whether it fails: this inquest was cut short before a trial", resume or plan)
        return Verdict(VerdictStatus.OPEN, None, text, (longer if case.trials else begin,))
    count = len(case.survivors)
    text = (
        f"No failure was seen in {count} trials. That is not proof that there is none: it bounds the failure rate, "
        f"were it the same in all cells, below {rate_below(count):.0%} (95 % confidence).{survived_refusals.told(case)}"
    )
    return Verdict(VerdictStatus.NO_FAILURE, None, text)


def _what_failed(case: Case) -> str:
    first = case.failures[0]
    where = f"; the last event of {first.id} is {first.last_event}" if first.last_event else ""
    region = failing_region(case.plain)
    only = f" Failures were seen only where {region}." if region else ""
    failed = f"{len(case.failures)} of {len(case.plain)} trials failed ({_how(case.failures)})"
    return f"{failed}{where}.{_first_death(first)}{_after_work(case)}{only}{_others(case)}"


def _after_work(case: Case) -> str:
    """Say which failures came when the work was done: they are not to be looked for in the training."""
    late = [trial for trial in case.failures if trial.exit.meaning.startswith(IN_SHUTDOWN)]
    count = "All" if len(late) == len(case.failures) else f"{len(late)} of them"
    return f" {count} finished, then died in shutdown: after the work was done, not in it." if late else ""


def _first_death(trial: Trial) -> str:
    """Quote the first death, where the observed process' own end only followed from it."""
    words = judged.first_words(trial)
    return f" In {trial.id} {words}." if words else ""


def _others(case: Case) -> str:
    """Name the deaths that are another failure than the one that was followed; they count for nothing."""
    others = case.study.others if case.study else ()
    return f" Another failure was seen as well: {', '.join(trial.id for trial in others)}." if others else ""


def _how(failures: Sequence[Trial]) -> str:
    words = [
        "hang"
        if trial.outcome is Outcome.HUNG  # the SIGKILL that ended it was ours
        else trial.exit.signal or trial.exit.ntstatus or f"exit code {trial.exit.code}"
        for trial in failures
    ]
    return ", ".join(f"{words.count(word)} x {word}" for word in dict.fromkeys(words))


def _why_open(findings: Sequence[Finding], has_others: bool) -> str:
    undecided = [finding.id for finding in findings if finding.id in MUST_BE_DECIDED and not finding.status.is_decided]
    supported = [finding.id for finding in findings if finding.status in (Status.SUPPORTED, Status.ESTABLISHED)]
    text = (
        f"No cause may be named: {' and '.join(undecided)} not decided."
        if undecided
        else "No cause may be named: rivals are not ruled out."
    )
    text += " There was more than one failure." if has_others else ""
    return text + (f" The evidence so far supports {', '.join(supported)}." if supported else "")
