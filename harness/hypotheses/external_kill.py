"""external-kill: ended from outside, by somebody who is not this harness."""

from __future__ import annotations

from harness.hypotheses.case import Case, death_reasons, exit_source, no_sign, nothing_to_judge
from harness.model import Finding, Gap, Status, Trial

ID = "external-kill"


def predicts(trial: Trial) -> bool:
    """A signal that is sent, not raised by a fault."""
    return trial.exit.ended_by == "outside"


def judge(case: Case) -> Finding:
    """Supported by the signal; the OOM killer sends the same one, so it cannot be established from it."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign(ID, "no trial was ended from outside", tuple(exit_source(trial) for trial in case.failures))
    return Finding(
        ID, Status.SUPPORTED, death_reasons(matching), (Gap("sender", "who sent the signal is not recorded"),)
    )
