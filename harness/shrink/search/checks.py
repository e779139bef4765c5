"""What may still show that there is no such boundary, once one is found: the steps that doubt it, and what they saw.

Both ends of the grid and a cell in the midst of the region are asked; a cell that survives where it should die is asked
until that is no chance any more; and the cells before the boundary are measured by the boundary's own rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from harness.shrink.search.survey import CONTRADICTION, Step, Survey
from harness.shrink.search.survivors import STEP_ERROR, silence

ENOUGH_SPARED = 2  # surviving cells that were seen, beside the mildest
ENOUGH_DEATHS, BESIDE_ERROR = 2, 0.1  # the boundary's own rate is counted coarsely: it is a second line of defence


def checks(survey: Survey) -> Iterator[Step]:
    """Yield the steps that may still show that there is no such boundary."""
    for cell in [*_wanted(survey), *survey.unexpected(STEP_ERROR)]:
        if not survey.is_settled(cell) and not survey.is_blocked(cell):
            expected = "die" if survey.should_die(cell) else "survive"
            yield cell, f"a check of the boundary: it should {expected}", partial(survey.is_settled, cell)
    yield from _checks_beside(survey)


def remarks(survey: Survey) -> Iterator[str]:
    """Yield what the checks saw, and what could not be asked."""
    if survey.belief.best is None:
        yield "no region with one corner or two holds all dead cells and spares the survivors"
    for cell, subject in enumerate(survey.cells):
        survived = survey.asker.survivors(subject)
        if survey.is_blocked(cell):
            yield f"{subject.id} fails in another way: what it says of this failure is not known"
        elif cell in survey.unexpected(CONTRADICTION):
            yield f"{subject.id} survived all of {survived} trials, though milder cells die"
    for corner, milder in _boundary(survey) if _is_flaky(survey) else ():
        for cell in milder:
            if not _is_silent_beside(survey, corner, cell):
                yield f"{survey.cells[corner].id} died {survey.own(corner)}: {survey.cells[cell].id} may die as rarely"
    unasked = [survey.cells[cell].id for cell in _wanted(survey) if not survey.asker.trials(survey.cells[cell])]
    if unasked:
        yield f"not checked: {', '.join(dict.fromkeys(unasked))}"


def _checks_beside(survey: Survey) -> Iterator[Step]:
    """Yield the steps that judge the cells before the boundary by the boundary's own rate.

    A failure may get rarer towards its boundary: what the failing cell's rate calls surviving may only be rarer still.
    """
    for corner, milder in _boundary(survey):
        is_counted = partial(_is_counted, survey, corner)
        if milder and not is_counted() and not survey.is_blocked(corner):
            yield corner, "the boundary's own rate: does it die as often as the failing cell?", is_counted
        for cell in milder if _is_flaky(survey) else ():
            if not _is_silent_beside(survey, corner, cell) and not survey.is_blocked(cell):
                question = f"{survey.cells[corner].id} died {survey.own(corner)}: does this die, as rarely?"
                yield cell, question, partial(_is_silent_beside, survey, corner, cell)


def _is_flaky(survey: Survey) -> bool:
    """Whether a cell that dies was seen to survive: where none was, nothing gets rarer."""
    return survey.asker.known.failures < survey.asker.known.trials


def _boundary(survey: Survey) -> list[tuple[int, list[int]]]:
    """Return each corner with the cells that are one step milder."""
    return [(survey.places.index(place), survey.milder(place)) for place in survey.corners]


def _is_counted(survey: Survey, corner: int) -> bool:
    is_silent = not survey.has_died(corner) and survey.is_settled(corner)
    return survey.own(corner).failures >= ENOUGH_DEATHS or is_silent or not survey.should_die(corner)


def _is_silent_beside(survey: Survey, corner: int, cell: int) -> bool:
    if survey.has_died(cell) or not survey.has_died(corner):
        return True
    return silence(survey.own(corner), survey.own(cell).trials) < BESIDE_ERROR


def _wanted(survey: Survey) -> list[int]:
    """Return the cells that a boundary is checked by: the harshest, one halfway to it, and the mildest.

    On two axes the last two are left out where others stand for them: cells that died beyond the boundary, and two that
    were seen to survive, which are then the harshest survivors.
    """
    harshest = len(survey.places) - 1
    corners = [survey.places.index(place) for place in survey.corners]
    beyond = [cell for cell in range(harshest) if cell not in corners and survey.has_died(cell)]
    spared = [cell for cell in range(1, harshest) if survey.is_spared(cell)]
    is_line = len(survey.grid.axes) == 1
    midst = [survey.halfway(corners[0], harshest)] if is_line or not beyond else []
    mildest = [0] if is_line or len(spared) < ENOUGH_SPARED else []
    return [harshest, *midst, *mildest]
