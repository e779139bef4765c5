"""What a trial says to a search: whether it died of the failure that is followed; pure."""

from __future__ import annotations

from harness.decide.study import Study
from harness.model import Trial
from harness.shrink.search.answers import Answer


def answer(study: Study, trial: Trial) -> Answer:
    """Return `dies` for the same signature alone: another failure, or an unresolved end, is neither."""
    if study.is_same(trial):
        return Answer.DIES
    return Answer.SURVIVES if trial.outcome in ("completed", "stopped") else Answer.OTHER
