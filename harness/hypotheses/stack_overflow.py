"""stack-overflow: a fault next to the end of a thread's stack."""

from __future__ import annotations

from harness.hypotheses.case import Case, death_reasons, exit_source, no_sign, nothing_to_judge
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "stack-overflow"
SIGNALS = ("SIGSEGV", "SIGBUS")


def predicts(trial: Trial) -> bool:
    """A stack overflow ends as an invalid access, or as its own status on Windows."""
    return trial.exit.signal in SIGNALS or trial.exit.ntstatus == "0xC00000FD"


def judge(case: Case) -> Finding:
    """Supported by Windows' own status, and by a fault next to the end of the thread's stack; without either, open."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign(
            ID, "no trial ended by an invalid memory access", tuple(exit_source(trial) for trial in case.failures)
        )
    found = [reason for trial in matching for reason in _near_the_end(trial)]
    told = any(trial.exit.ntstatus == "0xC00000FD" for trial in matching)
    known = found or any(trial.fact("fault_address") for trial in matching)
    gap = Gap("fault address", "it was not recorded, so its distance from the stack's end is not known")
    return Finding(
        ID, Status.SUPPORTED if found or told else Status.OPEN, (*found, *death_reasons(matching)),
        () if known else (gap,),
    )  # fmt: skip


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
