"""stack-overflow: a fault next to the end of a thread's stack."""

from __future__ import annotations

from harness.hypotheses.case import Case, death_reasons, exit_source, no_sign, nothing_to_judge
from harness.model import Finding, Gap, Status, Trial

ID = "stack-overflow"
SIGNALS = ("SIGSEGV", "SIGBUS")


def predicts(trial: Trial) -> bool:
    """A stack overflow ends as an invalid access, or as its own status on Windows."""
    return trial.exit.signal in SIGNALS or trial.exit.ntstatus == "0xC00000FD"


def judge(case: Case) -> Finding:
    """Supported by Windows' own status; on other systems the fault address is needed, so it stays open."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign(
            ID, "no trial ended by an invalid memory access", tuple(exit_source(trial) for trial in case.failures)
        )
    return Finding(
        ID,
        Status.SUPPORTED if any(trial.exit.ntstatus == "0xC00000FD" for trial in matching) else Status.OPEN,
        death_reasons(matching),
        (Gap("fault address", "it was not recorded, so its distance from the stack's end is not known"),),
    )
