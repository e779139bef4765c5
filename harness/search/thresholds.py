"""Where the failure begins, over one or two ordered factors: noisy binary search.

Each step asks one cell, the one whose answer says most per trial, until it dies (which proves it) or is surviving with
an error under 5 %. The steps go on until one region of the grid is the dying one with a probability of `TARGET`. Then
the model itself is doubted: both ends of the grid and a cell in the midst of the region are asked, and what does not
fit is asked again, until it fits or the result says that there is no boundary.

Two things are assumed: that what is harsher than a dying cell dies too, which is checked so far as trials were made,
and that dying cells die about as often as the failing cell, save that the boundary's neighbours are measured by the
boundary's own rate. Sources: Karp and Kleinberg, Noisy binary search and
its applications, SODA 2007; Waeber, Frazier and Henderson, SIAM J. Control and Optimization 51, 2013.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from harness.model import Cell, ConfigError
from harness.search.answers import LEAST_CONFIDENCE, Asked, Isolation
from harness.search.asker import Asker, Log, Trial, ignore
from harness.search.grid import Axis, Grid
from harness.search.results import Thresholds
from harness.search.silence import STEP_ERROR, is_confirmed, silence
from harness.search.survey import CONTRADICTION, Survey

TARGET = 0.98  # the steps go on until the whole is that sure
ENOUGH_SPARED = 2  # surviving cells that were seen, beside the mildest
ENOUGH_DEATHS, BESIDE_ERROR = 2, 0.1  # the boundary's own rate is counted coarsely: it is a second line of defence
Step = tuple[int, str, Callable[[], bool]]  # a cell, why it is asked, and whether it has said enough


def thresholds(
    failing: Cell,
    axes: Sequence[Axis],
    trial: Trial[Cell],
    log: Log = (),
    record: Callable[[Asked], None] = ignore,
) -> Thresholds:
    """Return where the failure of a failing cell begins, over one axis or two together.

    Every other factor stays as in `failing`. `trial`, `log` and `record` are those of `Asker`, with cells as subjects
    and their ids as names. A ConfigError tells what about the axes cannot be searched.
    """
    grid = Grid(failing, tuple(axes))
    if grid.problems():
        raise ConfigError(grid.problems())
    survey = Survey(grid, Asker(trial, lambda cell: cell.id, log, record))
    survey.ask(survey.failing, "does the failing cell die again, and how often?", lambda: _is_confirmed(survey))
    step = _next_step(survey)
    while step is not None and not survey.asker.is_spent:
        survey.ask(*step)
        step = _next_step(survey)
    return _result(survey)


def _is_confirmed(survey: Survey) -> bool:
    cell = survey.cells[survey.failing]
    return is_confirmed(survey.asker.deaths(cell), survey.asker.trials(cell))


def _next_step(survey: Survey) -> Step | None:
    """Return the next step; None where the failing cell never died, or nothing is left to ask."""
    if not survey.has_died(survey.failing) or survey.belief.best is None:
        return None
    return _narrowing(survey) if survey.belief.confidence < TARGET else next(_checks(survey), None)


def _narrowing(survey: Survey) -> Step | None:
    """Return the step that says most about where the boundary is."""
    belief = survey.belief
    cell = belief.most_telling([cell for cell in range(len(survey.cells)) if not survey.is_blocked(cell)])
    if cell is None:
        return None
    chance = belief.dies(cell)
    error = min(STEP_ERROR, chance / 2.0)  # a cell that was settled before is asked until it is surer still
    is_enough = partial(_is_narrowed, survey, cell, error)
    return cell, f"does it die? that is {chance:.0%} probable", is_enough


def _is_narrowed(survey: Survey, cell: int, error: float) -> bool:
    is_sure = survey.belief.confidence >= TARGET
    return is_sure or survey.has_died(cell) or survey.belief.dies(cell) <= error


def _checks(survey: Survey) -> Iterator[Step]:
    """Yield the steps that may still show that there is no such boundary."""
    for cell in [*_wanted(survey), *survey.unexpected(STEP_ERROR)]:
        if not survey.is_settled(cell) and not survey.is_blocked(cell):
            expected = "die" if survey.should_die(cell) else "survive"
            yield cell, f"a check of the boundary: it should {expected}", partial(survey.is_settled, cell)
    yield from _checks_beside(survey)


def _checks_beside(survey: Survey) -> Iterator[Step]:
    """Yield the steps that judge the cells before the boundary by the boundary's own rate.

    A failure may get rarer towards its boundary: what the failing cell's rate calls surviving may only be rarer still.
    Where every trial of every dying cell died, nothing gets rarer.
    """
    if survey.asker.known.failures == survey.asker.known.trials:
        return
    for corner, milder in _boundary(survey):
        is_counted = partial(_is_counted, survey, corner)
        if milder and not is_counted() and not survey.is_blocked(corner):
            yield corner, "the boundary's own rate: does it die as often as the failing cell?", is_counted
        for cell in milder:
            if not _is_silent_beside(survey, corner, cell) and not survey.is_blocked(cell):
                question = f"{survey.cells[corner].id} died {survey.own(corner)}: does this die, as rarely?"
                yield cell, question, partial(_is_silent_beside, survey, corner, cell)


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

    The mildest is left out where two cells were seen to survive anyway: on two axes those are the harshest survivors.
    """
    harshest = survey.places[-1]
    midst = tuple((low + high + 1) // 2 for low, high in zip(survey.corners[0], harshest, strict=True))
    spared = sum(survey.is_spared(cell) for cell in range(1, len(survey.cells)))
    mildest = [] if len(survey.grid.axes) > 1 and spared >= ENOUGH_SPARED else [0]
    return [len(survey.places) - 1, survey.places.index(midst), *mildest]


def _result(survey: Survey) -> Thresholds:
    asker = survey.asker
    return Thresholds(
        survey.grid.axes,
        _isolation(survey),
        tuple(survey.grid.cell(place) for place in survey.corners),
        survey.belief.confidence if survey.has_died(survey.failing) else 0.0,
        asker.known,
        tuple(_remarks(survey)),
        asker.others,
        asker.is_spent,
        tuple(asker.trace),
    )


def _isolation(survey: Survey) -> Isolation:
    if not survey.has_died(survey.failing):
        return Isolation.NOT_REPRODUCED
    if survey.belief.best is None or survey.unexpected(CONTRADICTION):
        return Isolation.NOT_MONOTONE
    return Isolation.ISOLATED if survey.belief.confidence >= LEAST_CONFIDENCE else Isolation.NOT_ISOLATED


def _remarks(survey: Survey) -> Iterator[str]:
    """Yield what the checks saw, and what could not be asked."""
    if survey.belief.best is None:
        yield "no region with one corner or two holds all dead cells and spares the survivors"
    for cell, subject in enumerate(survey.cells):
        survived = survey.asker.survivors(subject)
        if survey.is_blocked(cell):
            yield f"{subject.id} fails in another way: what it says of this failure is not known"
        elif cell in survey.unexpected(CONTRADICTION):
            yield f"{subject.id} survived all of {survived} trials, though milder cells die"
    for corner, milder in _boundary(survey) if survey.asker.known.failures < survey.asker.known.trials else ():
        for cell in milder:
            if not _is_silent_beside(survey, corner, cell):
                yield f"{survey.cells[corner].id} died {survey.own(corner)}: {survey.cells[cell].id} may die as rarely"
    unasked = [survey.cells[cell].id for cell in _wanted(survey) if not survey.asker.trials(survey.cells[cell])]
    if unasked:
        yield f"not checked: {', '.join(dict.fromkeys(unasked))}"
