"""stack-overflow: a fault at the end of a thread's own stack, or a thread with no stack left for a signal's frame."""

from __future__ import annotations

from typing import Any

from harness.decide import judged
from harness.decide.effects import Does
from harness.decide.hypotheses.calls import ending_signal, sent_by_a_call
from harness.decide.hypotheses.case import Case, death_reasons, no_sign_of, nothing_to_judge
from harness.decide.hypotheses.speaking import by_effect, pro
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
    """Whether the record of a fault, the kernel, or Windows' own status says that a stack ran out."""
    told = predicts(trial) and (trial.value("no_stack_left") or {}).get("is_certain", False)
    return trial.fact("stack_overflow") is not None or told or trial.exit.ntstatus == STATUS


def is_removed(case: Case) -> bool:
    """Whether larger stacks alone, with as many threads, take away a failure that shows a sign of a full stack."""
    dead = [trial for trial in case.study.plain if case.study.is_same(trial)] if case.study else []
    signs = [is_overflow(trial) or trial.fact("no_stack_left") is not None for trial in dead]
    return bool(signs) and all(signs) and case.effect(LARGE_STACK.id)[0] is Does.REMOVES


def is_explained(case: Case) -> bool:
    """Whether the failure that is followed is a stack that ran out: then neither threads nor the code need a fault."""
    dead = [trial for trial in case.study.plain if case.study.is_same(trial)] if case.study else []
    return is_removed(case) or (bool(dead) and all(is_overflow(trial) for trial in dead))


def judge(case: Case) -> Finding:
    """Established by the fault's place in every failure that was followed, or by a larger stack that removes it;
    ruled out where the fault's address is known and lies elsewhere.
    """
    if not case.failures or case.study is None:
        return nothing_to_judge(ID)
    same = [trial for trial in case.study.plain if case.study.is_same(trial)] or [case.study.reference]
    accesses = [trial for trial in case.failures if predicts(trial)]
    if not accesses:
        return no_sign_of(case, ID, "no invalid memory access ended the program")
    dead = same if any(map(predicts, same)) else accesses  # an abort has no address, and is none
    near = [reason for trial in dead for reason in _near_the_end(trial)]
    does, effect = case.effect(LARGE_STACK.id)
    if does is Does.REMOVES or all(is_overflow(trial) for trial in dead):
        return Finding(ID, Status.ESTABLISHED, (*by_effect(does, effect), *near, *death_reasons(dead[:1])))
    if near:
        return Finding(ID, Status.SUPPORTED, (*by_effect(does, effect), *near))
    if all(trial.fact("fault_address") for trial in dead):
        return no_sign_of(case, ID, "the address of the fault is known, and lies at the end of no thread's stack")
    gap = Gap("fault address", "it was not recorded, so its distance from the stack's end is not known")
    return Finding(ID, Status.OPEN, pro(death_reasons(dead[:1])), (gap,))


def _near_the_end(trial: Trial) -> list[Reason]:
    fact, frameless = trial.fact("stack_overflow"), trial.fact("no_stack_left")
    if fact is None:
        return [Reason(f"{trial.id}: {_no_room(frameless.value)}", frameless.sources)] if frameless else []
    value = fact.value
    size = f", of {value['stack_bytes'] >> 10} KiB" if "stack_bytes" in value else ""
    text = (
        f"{trial.id}: the fault at {value['address']} lies {value['from_stack_pointer_bytes']} bytes from the stack "
        f"pointer and {value['below_stack_bytes']} bytes below the thread's stack ({value['stack']}{size})"
    )
    return [Reason(text, fact.sources)]


def _no_room(value: dict[str, Any]) -> str:
    if value["told_by"] == "kernel":
        return f"the kernel saw thread {value['tid']} fault at {value['address']}, its stack pointer at {value['sp']}"
    if value["told_by"] == "silence":
        return "handlers were armed and none ran, as where the faulting thread has no stack left for one"
    microseconds = value["apart_seconds"] * 1e6
    return (
        f"thread {value['tid']} had no stack left for the signal's frame: the kernel's own SIGSEGV came "
        f"{microseconds:.0f} microseconds after that of the fault, and no handler ran"
    )
