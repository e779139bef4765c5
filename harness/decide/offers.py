"""Offers: one more trial of the failing cell as it is, or under a change; how often each may still be needed; pure.

The cell as it is is repeated as often as the exact tests need, and no more. Where a change may remove the failure, it
is five deaths, or twelve trials, before the fifth survivor under the change: five are the fewest that the test is asked
about (effects.py), so what it is asked is the same, and as seldom taken for an effect by chance, as if all repeats had
come first. Where the change leaves the failure, no repeats are needed for that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from harness.decide import observed, trial_worth, wants
from harness.decide.effects import Does
from harness.decide.hypotheses import external_kill
from harness.decide.study import Study
from harness.model import Cell, Trial
from harness.plan.intervention import Intervention

CONFIRM = 5  # deaths of the failing cell as it is, where a change may remove them
CONFIRM_EQUAL = 3  # where equal deaths are themselves the evidence: what ended them was seen, words and a limit agree
CONFIRM_ONCE = 2  # elsewhere: what was seen once may not come again
MOST_PLAIN = 12  # trials where it fails only sometimes
MOST_UNDER = 12  # trials under one intervention
LONG_SECONDS = 10.0  # of a failing trial
EVEN = 0.5  # odds


@dataclasses.dataclass(frozen=True)
class Step:
    """One more trial: the cell, what is changed about it, and why. `means`: by which a memory limit is set."""

    cell: Cell
    why: str
    intervention: Intervention | None = None
    memory_limit_bytes: int | None = None
    means: str | None = None


@dataclasses.dataclass(frozen=True)
class Offer:
    """A trial that could be asked next: how far it brings a decision (a share of it), and how long it may last."""

    step: Step
    information: float
    seconds: float

    @property
    def worth(self) -> float:
        """Information a second."""
        return self.information / self.seconds


def is_observed(case: Study) -> bool:
    """Whether each death of the cell is known to be of one family: what was refused, or who sent the signal."""
    return len(case.dead) >= CONFIRM_EQUAL and observed.known(case.dead) is not None


def may_be_observed(case: Study) -> bool:
    """Whether all deaths so far are of one family, as was seen or as words and a full limit agree, and more decide."""
    family = observed.only(case.dead) or observed.agreed(case.dead, least=1)
    return len(case.plain) < MOST_PLAIN and family is not None


def has_threads(case: Study) -> bool:
    """Whether fewer threads can be tried: of the cell's own number, of torch's, or of others than Python's own."""
    told, dead = case.cell.as_dict().get("threads"), case.reference
    if told is not None:
        return bool(told != 1)
    own = dead.value("python_threads_most")
    others = own is not None and (dead.value("threads_max") or 1) > own
    return others or (dead.value("torch_threads") or 1) > 1


def is_settled(case: Study, one: Intervention) -> bool:
    """Whether an intervention's effect is decided, or was asked for as often as it may be."""
    return case.does(one.id) is not Does.UNDECIDED or len(case.under.get(one.id, ())) >= MOST_UNDER


def _is_repeated(case: Study) -> bool:
    """Whether the cell was run as it is so often that a change may be said to remove the failure."""
    return case.without.failures >= CONFIRM or len(case.plain) >= MOST_PLAIN


def _repeats(case: Study) -> tuple[int, float, str]:
    """Return how many deaths of the cell as it is are needed, how probably, and what for."""
    lived = trial_worth.survived(case)
    if lived:
        why = f"it lived under {lived[-1]}, which tells only against enough deaths without"
        return CONFIRM, trial_worth.removing(case, lived[-1]), why
    if case.others:
        return CONFIRM, EVEN, "it failed in another way as well"
    if not has_threads(case) or _is_wanting(case.reference) or may_be_observed(case):
        return CONFIRM_EQUAL, 1.0, "equal deaths are evidence here"
    return CONFIRM_ONCE, 1.0, "what was seen once may not come again"


def _is_wanting(dead: Trial) -> bool:
    """Whether words and a limit that was full agree in this death: then more such deaths decide."""
    return any(want.is_full for want in wants.of(dead))


def again(case: Study, has_question: bool = False, is_needed: bool = True) -> Iterator[Offer]:
    """Yield one more trial of the cell as it is, where one is needed, or is worth it once all else was asked.

    Where a failure takes long, a change is tried before the second of it: what dies under the change came again, too.
    """
    deaths, matters, why = _repeats(case)
    pace = trial_worth.pace(case)
    can_wait = (has_question and pace.fails_seconds > LONG_SECONDS) or trial_worth.has_come_again(case)
    waits = deaths == CONFIRM_ONCE and can_wait and is_needed
    if not is_needed and external_kill.predicts(case.reference):
        deaths, why = max(deaths, CONFIRM_EQUAL), "a watcher of memory kills at equal use"
    if case.without.failures < deaths and len(case.plain) < MOST_PLAIN and not waits:
        step = Step(case.cell, f"does it fail again? {case.without} so far: {why}")
        seconds = pace.expected_seconds(trial_worth.failing(case.without))
        soonest = deaths if can_wait else min(deaths, CONFIRM_ONCE)  # a second death first, then what else needs more
        yield Offer(step, trial_worth.of_repeat(case, soonest, matters), seconds)


def under(case: Study, questions: list[Intervention]) -> Iterator[Offer]:
    """Yield one more trial under a change; its fifth survivor waits until the cell was repeated often enough."""
    for one in questions:
        survivors = trial_worth.missing_survivors(case, one.id)
        if survivors > 1 or _is_repeated(case):
            deaths, number = trial_worth.missing_deaths(case, one.id), len(case.under.get(one.id, ())) + 1
            answer = f"{_plural(deaths, 'such death')} more or at least {_plural(survivors, 'survivor')} decide"
            why = f"under {one.id}, trial {number}: {answer}"
            seconds = trial_worth.pace(case).expected_seconds(trial_worth.failing_under(case, one.id))
            yield Offer(Step(case.cell, why, one), trial_worth.of_change(case, one.id), seconds)


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
