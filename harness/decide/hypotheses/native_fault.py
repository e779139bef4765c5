"""native-fault: a fatal signal or status out of native code, whatever the threads and the memory.

It predicts that the failure persists at one thread and with memory to spare. Established where it does, and the fault
was seen in native code; ruled out where threads, or another decided cause, are what ended it. An abort that only
reports something (std::terminate, an assertion, a runtime's) is its cause only where nothing was seen to be refused.
"""

from __future__ import annotations

from harness.decide import judged, memory_ladder, messengers, wants
from harness.decide.effects import Does
from harness.decide.hypotheses import (
    interleaving,
    io_fault,
    memory_exhaustion,
    resource_limit,
    stack_overflow,
    threading_fault,
)
from harness.decide.hypotheses.calls import ending_signal, sent_by_a_call
from harness.decide.hypotheses.case import Case, death_reasons, exit_source, no_sign_of, nothing_to_judge, ruled_out
from harness.decide.hypotheses.speaking import by_effect, con
from harness.decide.interventions import NO_ONEDNN, ONE_THREAD
from harness.model import Fact, Finding, Gap, Reason, Speaks, Status, Trial

ID = "native-fault"
SIGNALS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGABRT", "SIGTRAP")
STATUSES = ("0xC0000005", "0xC0000374", "0xC0000409", "0xC0000094", "0xC0000006")


def predicts(trial: Trial) -> bool:
    """A fault or an abort that native code ends in; not a signal that somebody sent."""
    outside = judged.of(trial).is_observed and trial.exit.ended_by == "outside"
    sent = outside or judged.sender(trial) in judged.OTHERS or sent_by_a_call(trial)
    return (ending_signal(trial) in SIGNALS and not sent) or trial.exit.ntstatus in STATUSES


def judge(case: Case) -> Finding:
    """Ruled out where the failure needs threads, memory or stack; established where it needs none of them."""
    if not case.failures or case.study is None:
        return nothing_to_judge(ID)
    if not any(predicts(trial) for trial in case.failures):
        return no_sign_of(case, ID, "no fault of native code ended the program")
    reasons = death_reasons(case.failures[:3]) + tuple(_frames(case.study.reference))
    does, effect = case.effect(ONE_THREAD.id)
    order = interleaving.removes(case)
    threads = threading_fault.judge(case).status
    if threads is Status.ESTABLISHED and (does is Does.REMOVES or order):
        text = "it predicts that the failure persists at one thread, and there it is gone"
        text = "it predicts that the failure comes in whatever order the threads run" if order else text
        effect = order or effect
        return ruled_out(case, ID, (*effect, Reason(text, effect[0].evidence)))
    if stack_overflow.is_explained(case) or stack_overflow.is_overflow(case.study.reference):
        text = "the fault lies at the end of a thread's stack"
        return ruled_out(case, ID, (Reason(text, (exit_source(case.study.reference),)),))
    if threading_fault.is_of_a_daemon(case):
        text = "the code is sound: the interpreter ended the program in its own words, for a daemon thread's lock"
        return ruled_out(case, ID, (Reason(text, (exit_source(case.study.reference),)),))
    if threading_fault.is_duplicate(case):
        text = "the code is sound: a second copy of an OpenMP runtime ended the program in its own words"
        return ruled_out(case, ID, (Reason(text, (exit_source(case.study.reference),)),))
    if all(io_fault.is_told(trial) for trial in case.failures):
        text = "the instruction is sound: the fault lies behind the end of a mapped file"
        sources = case.study.reference.fact("file_fault")
        return ruled_out(case, ID, (Reason(text, sources.sources if sources else ()),))
    deeper = _deeper(case)
    if deeper is not None:
        text = f"the fault is how {deeper.id} shows itself; {deeper.id} is established"
        return ruled_out(case, ID, (Reason(text, deeper.reasons[0].evidence),))
    unexplained = _unexplained(case)
    if unexplained is not None:
        return Finding(ID, Status.SUPPORTED, (*_spoken(does, effect), *reasons, *con(unexplained[0])), unexplained[1])
    persists = threads is Status.RULED_OUT
    spare = memory_exhaustion.judge(case).status is Status.RULED_OUT or _has_ladder_no(case)
    onednn, onednn_effect = case.effect(NO_ONEDNN.id)
    alone = does is Does.LEAVES or case.study.reference.factors.get("threads") == 1  # a tool heeds the variables, too
    seen = _is_seen(case.study.reference) or (alone and all(map(_is_seen_of_tool, case.failures)))
    if (persists and spare and seen) or onednn is Does.REMOVES:
        told = (*_spoken(does, effect), *by_effect(onednn, onednn_effect), *reasons)
        return Finding(ID, Status.ESTABLISHED, told)
    gaps = _gaps(case.study.reference, persists, spare)
    return Finding(ID, Status.SUPPORTED, (*_spoken(does, effect), *reasons), gaps)


def _spoken(does: Does, effect: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """What one thread does: a fault of the code alone does not go away by it."""
    return by_effect(does, effect, removed=Speaks.AGAINST)


def _deeper(case: Case) -> Finding | None:
    """Return the family whose fault only shows itself in native code."""
    findings = (rule.judge(case) for rule in (memory_exhaustion, resource_limit, io_fault))
    return next((finding for finding in findings if finding.status is Status.ESTABLISHED), None)


def _unexplained(case: Case) -> tuple[tuple[Reason, ...], tuple[Gap, ...]] | None:
    """Return what stands unexplained: a refusal near a fault, or what an abort reports where nobody looked."""
    reasons, gaps = messengers.standing(case.failures)
    if gaps:
        return reasons, gaps
    reporting = [one for one in case.failures if messengers.kind(one, case.stderr.get(one.id, ()))]
    unseen = [trial for trial in reporting if not wants.is_watched(trial)]
    return ((), (messengers.UNSEEN,)) if unseen else None


def _is_seen(trial: Trial) -> bool:
    """Whether the native stack of the thread at fault was taken."""
    return trial.fact("native_stacks") is not None


def _is_seen_of_tool(trial: Trial) -> bool:
    """Whether a program that is no Python, which nobody can hold, got the fault's signal from the kernel itself."""
    return judged.of(trial).is_tool and judged.sender(trial) == judged.KERNEL


def _has_ladder_no(case: Case) -> bool:
    return case.ladder is not None and case.ladder.matches == memory_ladder.NO


def _frames(trial: Trial) -> list[Reason]:
    fact: Fact | None = trial.fact("crash_stack")
    return [Reason(f"{trial.id}: it faulted in {' < '.join(fact.value[:5])}", fact.sources)] if fact else []


def _gaps(trial: Trial, persists: bool, spare: bool) -> tuple[Gap, ...]:
    wanted = (
        (trial.fact("native_stacks") is not None, "native stacks", "no native stack of the faulting thread was taken"),
        (persists, "repeats at one thread", "it is not shown that the failure persists at one thread"),
        (spare, "memory ladder", "it is not shown that the failure differs from exhausted memory"),
    )
    return tuple(Gap(probe, reason) for there, probe, reason in wanted if not there)
