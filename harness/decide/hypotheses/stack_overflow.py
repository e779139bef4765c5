"""stack-overflow: a fault next to the end of a thread's stack."""

from __future__ import annotations

from harness.decide import judged
from harness.decide.effects import Does
from harness.decide.hypotheses.calls import ending_signal, sent_by_a_call
from harness.decide.hypotheses.case import Case, death_reasons, no_sign_of, nothing_to_judge
from harness.decide.interventions import LARGE_STACK
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "stack-overflow"
SIGNALS = ("SIGSEGV", "SIGBUS")
STATUS = "0xC00000FD"


def predicts(trial: Trial) -> bool:
    """A stack overflow ends as an invalid access, or as its own status on Windows."""
    sent = judged.is_from_outside(trial) or sent_by_a_call(trial)
    return (ending_signal(trial) in SIGNALS and not sent) or trial.exit.ntstatus == STATUS


def is_overflow(trial: Trial) -> bool:
    """Whether the record of a fault, or Windows' own status, says that a stack ran out."""
    return trial.fact("stack_overflow") is not None or trial.exit.ntstatus == STATUS


def judge(case: Case) -> Finding:
    """Established by the fault's place in every failure that was followed, or by a larger stack that removes it;
    ruled out where the fault's address is known and lies elsewhere.
    """
    if not case.failures or case.study is None:
        return nothing_to_judge(ID)
    dead = [trial for trial in case.study.plain if case.study.is_same(trial)] or [case.study.reference]
    if not any(predicts(trial) for trial in case.failures):
        return no_sign_of(case, ID, "no invalid memory access ended the program")
    near = [reason for trial in dead for reason in _near_the_end(trial)]
    does, effect = case.effect(LARGE_STACK.id)
    if does is Does.REMOVES or all(is_overflow(trial) for trial in dead):
        return Finding(ID, Status.ESTABLISHED, (*effect, *near, *death_reasons(dead[:1])))
    if near:
        return Finding(ID, Status.SUPPORTED, (*effect, *near))
    if all(trial.fact("fault_address") for trial in dead):
        return no_sign_of(case, ID, "the address of the fault is known, and lies at the end of no thread's stack")
    gap = Gap("fault address", "it was not recorded, so its distance from the stack's end is not known")
    return Finding(ID, Status.OPEN, death_reasons(dead[:1]), (gap,))


def _near_the_end(trial: Trial) -> list[Reason]:
    fact = trial.fact("stack_overflow")
    if fact is None:
        return []
    value = fact.value
    text = (
        f"{trial.id}: the fault at {value['address']} lies {value['from_stack_pointer_bytes']} bytes from the stack "
        f"pointer and {value['below_stack_bytes']} bytes below the thread's stack ({value['stack']})"
    )
    return [Reason(text, fact.sources)]
