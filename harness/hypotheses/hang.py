"""hang: alive, and nothing moves."""

from __future__ import annotations

from harness.hypotheses.case import Case, death_reasons, exit_source, no_sign, nothing_to_judge
from harness.model import Finding, Gap, Status, Trial

ID = "hang"


def predicts(trial: Trial) -> bool:
    """The trial was ended for want of progress."""
    return trial.outcome == "hung"


def judge(case: Case) -> Finding:
    """Supported where a trial made no progress for as long as the plan allows."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign(ID, "no trial stood still", tuple(exit_source(trial) for trial in case.failures))
    return Finding(
        ID,
        Status.SUPPORTED,
        death_reasons(matching),
        (
            Gap(
                "hang snapshots",
                "no stacks were taken while it stood still, so deadlock and livelock are not told apart",
            ),
        ),
    )
