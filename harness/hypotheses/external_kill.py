"""external-kill: ended from outside, by somebody who is not this harness."""

from __future__ import annotations

from harness import ladder
from harness.hypotheses.calls import is_unexplained_on_windows
from harness.hypotheses.case import Case, death_reasons, no_sign_of, nothing_to_judge
from harness.model import Finding, Gap, Status, Trial

ID = "external-kill"
SENDER = Gap("sender", "who sent the signal is not recorded")
WINDOWS = Gap("sender", "cannot be told from exit code alone on Windows: TerminateProcess gives any code")


def predicts(trial: Trial) -> bool:
    """A signal that somebody else sent, not raised by a fault; on Windows also a code that no call explains."""
    return trial.exit.ended_by == "outside" or is_unexplained_on_windows(trial)


def judge(case: Case) -> Finding:
    """Supported by the signal; the OOM killer sends the same one, so it cannot be established from it."""
    if not case.failures:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching:
        return no_sign_of(case, ID, "no trial was ended from outside")
    if case.ladder is not None and case.ladder.matches == ladder.YES and not case.unlike:
        return Finding(ID, Status.RULED_OUT, case.ladder.reasons[-1:])
    sent = any(trial.exit.ended_by == "outside" for trial in matching)
    gaps = (*((SENDER,) if sent else ()), *((WINDOWS,) if any(map(is_unexplained_on_windows, matching)) else ()))
    return Finding(ID, Status.SUPPORTED if sent else Status.OPEN, death_reasons(matching), gaps)
