"""What trials that completed were refused right before their end: a program may swallow an error, and end well; pure.

Such an end is no failure, for a program may also have done what it had to; but it is told, as nothing else may tell it.
"""

from __future__ import annotations

from harness.decide import refusals
from harness.decide.hypotheses.case import Case
from harness.facts.refused import wording
from harness.model import Fact, Trial

OF_WORK = (wording.DISK, wording.SHARED, wording.QUOTA, wording.FILE_SIZE, wording.FILES, wording.THREADS)
MOST = 3  # trials that are named


def told(case: Case) -> str:
    """Return the sentence, with a space before it; "" where no trial was refused anything of its work at its end."""
    found = [(trial, fact) for trial in case.survivors for fact in last(trial)[:1]]
    if not found:
        return ""
    trial, fact = found[0]
    names = ", ".join(trial.id for trial, _ in found[:MOST])
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return (
        f" Yet {names}{more} ended right after a refusal, which the program may have swallowed: in {trial.id} "
        f"{refusals.word(fact.value).replace('before the death', 'before the end')}."
    )


def last(trial: Trial) -> list[Fact]:
    """Return what a trial was refused near its end, at a limit that was reached, and of a kind that work needs."""
    near = [fact for fact in refusals.near_refusals(trial) if fact.value["error"] not in refusals.EASY]
    wanted = ((fact, refusals.resource_of(fact.value, trial)) for fact in near)
    return [fact for fact, kind in wanted if kind in OF_WORK and kind and refusals.is_full(fact.value, kind)]
