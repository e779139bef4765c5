"""illegal-instruction: code for a processor that this one is not."""

from __future__ import annotations

from harness.decide.effects import Does
from harness.decide.hypotheses.calls import ending_signal
from harness.decide.hypotheses.case import Case, death_reasons, no_sign_of, nothing_to_judge
from harness.decide.hypotheses.speaking import by_effect
from harness.decide.interventions import PLAIN_CPU
from harness.model import Finding, Gap, Status, Trial

ID = "illegal-instruction"


def predicts(trial: Trial) -> bool:
    """Its own signal, or its own status on Windows."""
    return ending_signal(trial) == "SIGILL" or trial.exit.ntstatus == "0xC000001D"


def judge(case: Case) -> Finding:
    """Established where capping the instruction set removes the failure; else supported by the signal."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign_of(case, ID, "no trial ended by an illegal instruction")
    does, effect = case.effect(PLAIN_CPU.id)
    if does is Does.REMOVES:
        return Finding(ID, Status.ESTABLISHED, (*effect, *death_reasons(matching[:3])))
    return Finding(
        ID,
        Status.SUPPORTED,
        (*by_effect(does, effect), *death_reasons(matching)),
        (Gap("instruction", "the faulting instruction was not decoded"),),
    )
