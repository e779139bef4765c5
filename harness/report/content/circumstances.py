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
    """Return the sentences of trials that ended alike: all of the first, of each other its nearly full limits.

    A trial in which something was changed on purpose has only what it left behind: how it ended is the
    intervention's question. The sentences of the others have their names; those of the first have them in their
    records.
    """
    plain = [one for one in trials if not one.interventions]
    changed = [_named(one, reason) for one in trials if one.interventions for reason in around_ends.remains(one)]
    others = [_named(one, reason) for one in plain[1:] for reason in _limits(one)]
    return (*(of(plain[0]) if plain else ()), *others, *changed)


def _limits(trial: Trial) -> tuple[Reason, ...]:
    return tuple(around_use.limits(trial)) if trial.outcome.is_failure else ()


def _named(trial: Trial, reason: Reason) -> Reason:
    return Reason(f"{trial.id}: {reason.text}", reason.evidence)
