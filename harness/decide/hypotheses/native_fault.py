"""native-fault: a fatal signal or status out of native code, whatever the threads and the memory.

It predicts that the failure persists at one thread and with memory to spare. Established where it does, and the fault
was seen in native code; ruled out where one thread, or the other decided causes, take the failure away.
"""

from __future__ import annotations

from harness.decide import memory_ladder
from harness.decide.effects import Does
from harness.decide.hypotheses import interleaving, io_fault, stack_overflow, threading_fault
from harness.decide.hypotheses.calls import ending_signal
from harness.decide.hypotheses.case import Case, death_reasons, exit_source, no_sign_of, nothing_to_judge, unproven
from harness.decide.interventions import NO_ONEDNN, ONE_THREAD
from harness.model import Fact, Finding, Gap, Reason, Status, Trial

ID = "native-fault"
SIGNALS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGABRT", "SIGTRAP")
STATUSES = ("0xC0000005", "0xC0000374", "0xC0000409", "0xC0000094", "0xC0000006")


def predicts(trial: Trial) -> bool:
    """A fault or an abort that native code ends in; not a signal that somebody sent."""
    sent = trial.exit.ended_by == "outside" or trial.value("signal_sent") is not None
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
    if does is Does.REMOVES or order:
        text = "it predicts that the failure persists at one thread, and there it is gone"
        text = "it predicts that the failure comes in whatever order the threads run" if order else text
        effect = order or effect
        return _excluded(case, (*effect, Reason(text, effect[0].evidence), *reasons))
    if stack_overflow.is_explained(case) or stack_overflow.is_overflow(case.study.reference):
        return _excluded(
            case,
            (Reason("the fault lies at the end of a thread's stack", (exit_source(case.study.reference),)), *reasons),
        )
    if threading_fault.is_duplicate(case):
        text = "the code is sound: a second copy of an OpenMP runtime ended the program in its own words"
        return _excluded(case, (Reason(text, (exit_source(case.study.reference),)), *reasons))
    if all(io_fault.is_told(trial) for trial in case.failures):
        text = "the instruction is sound: the fault lies behind the end of a mapped file"
        sources = case.study.reference.fact("file_fault")
        return _excluded(case, (Reason(text, sources.sources if sources else ()), *reasons))
    if case.ladder is not None and case.ladder.matches == memory_ladder.YES:
        return _excluded(case, (*case.ladder.reasons[-1:], *reasons))
    persists = threading_fault.judge(case).status is Status.RULED_OUT
    spare = case.ladder is not None and case.ladder.matches == memory_ladder.NO
    onednn, onednn_effect = case.effect(NO_ONEDNN.id)
    if (persists and spare and case.study.reference.fact("native_stacks")) or onednn is Does.REMOVES:
        return Finding(ID, Status.ESTABLISHED, (*effect, *onednn_effect, *reasons))
    return Finding(ID, Status.SUPPORTED, (*effect, *reasons), _gaps(case.study.reference, persists, spare))


def _excluded(case: Case, reasons: tuple[Reason, ...]) -> Finding:
    proven = case.is_proven(ID)
    return Finding(ID, Status.RULED_OUT if proven else Status.OPEN, reasons, () if proven else unproven(ID))


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
