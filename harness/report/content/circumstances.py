"""What else is known of a failed trial, beside the findings: sentences with their records, for every report; pure.

No sentence here is a reason for a cause; each tells what a person who looks for one asks next.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Reason, Trial
from harness.report.content import around_ends, around_threads, around_use


def of(trial: Trial) -> tuple[Reason, ...]:
    """Return the sentences of one trial; a trial that did not fail has only what it left behind."""
    if not trial.outcome.is_failure:
        return tuple(around_ends.remains(trial))
    readers = (around_ends.lines, around_use.limits, around_use.lines, around_threads.lines)
    return tuple(reason for read in readers for reason in read(trial))


def told(trials: Sequence[Trial]) -> tuple[Reason, ...]:
    """Return the sentences of trials that ended alike: all of the first, and the full limits of every other."""
    first, others = of(trials[0]), [reason for one in trials[1:] for reason in _limits(one)]
    return (*(_named(trials[0], reason) for reason in first), *others)


def _limits(trial: Trial) -> tuple[Reason, ...]:
    found = around_use.limits(trial) if trial.outcome.is_failure else ()
    return tuple(_named(trial, reason) for reason in found)


def _named(trial: Trial, reason: Reason) -> Reason:
    return Reason(f"{trial.id}: {reason.text}", reason.evidence)
