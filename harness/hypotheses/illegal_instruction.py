"""illegal-instruction: code for a processor that this one is not."""

from __future__ import annotations

from harness.hypotheses.case import Case, death_reasons, no_sign_of, nothing_to_judge
from harness.model import Finding, Gap, Status, Trial

ID = "illegal-instruction"


def predicts(trial: Trial) -> bool:
    """Its own signal, or its own status on Windows."""
    return trial.exit.signal == "SIGILL" or trial.exit.ntstatus == "0xC000001D"


def judge(case: Case) -> Finding:
    """Supported by the signal; capping the instruction set would decide."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign_of(case, ID, "no trial ended by an illegal instruction")
    return Finding(
        ID, Status.SUPPORTED, death_reasons(matching), (Gap("instruction", "the faulting instruction was not decoded"),)
    )
