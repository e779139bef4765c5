"""native-fault: a fatal signal or status out of native code, whatever the threads and the memory."""

from __future__ import annotations

from harness.hypotheses.case import Case, death_reasons, exit_source, no_sign, nothing_to_judge
from harness.model import Finding, Gap, Status, Trial

ID = "native-fault"
SIGNALS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGABRT", "SIGTRAP")
STATUSES = ("0xC0000005", "0xC0000374", "0xC0000409", "0xC0000094", "0xC0000006")


def predicts(trial: Trial) -> bool:
    """A fault or an abort that native code ends in."""
    return trial.exit.signal in SIGNALS or trial.exit.ntstatus in STATUSES


def judge(case: Case) -> Finding:
    """Supported by the signal; only a stack and interventions could establish it."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign(
            ID, "no trial ended by a fault of native code", tuple(exit_source(trial) for trial in case.failures)
        )
    taken = any(trial.fact("native_stacks") for trial in matching)
    gap = Gap("native stacks", "no native stack of the faulting thread was taken")
    return Finding(ID, Status.SUPPORTED, death_reasons(matching), () if taken else (gap,))
