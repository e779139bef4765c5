"""Where the failure begins, over one or two ordered factors: noisy binary search.

Each step asks one cell, the one whose answer says most per trial, until it dies (which proves it) or is surviving with
an error under 5 %. The steps go on until one region of the grid is the dying one with a probability of `TARGET`. Then
the model itself is doubted (checks.py), until what was seen fits it or the result says that there is no boundary.

Two things are assumed: that what is harsher than a dying cell dies too, which is checked so far as trials were made,
and that dying cells die about as often as the failing cell, save that the boundary's neighbours are measured by the
boundary's own rate. Sources: Karp and Kleinberg, Noisy binary search and its applications, SODA 2007; Waeber, Frazier
and Henderson, SIAM J. Control and Optimization 51, 2013.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from harness.model import Cell, ConfigError
from harness.shrink.search.answers import LEAST_CONFIDENCE, Asked, Isolation
from harness.shrink.search.asker import Asker, Log, Trial, ignore
from harness.shrink.search.checks import checks, remarks
from harness.shrink.search.grid import Axis, Grid
from harness.shrink.search.results import Thresholds
from harness.shrink.search.survey import CONTRADICTION, Step, Survey
from harness.shrink.search.survivors import STEP_ERROR, is_confirmed

TARGET = 0.98  # the steps go on until the whole is that sure


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
    survey = Survey(grid, Asker(trial, lru_cache(_id), log, record))
    survey.ask(survey.failing, "does the failing cell die again, and how often?", lambda: _is_confirmed(survey))
    step = _next_step(survey)
    while step is not None and not survey.asker.is_spent:
        survey.ask(*step)
        step = _next_step(survey)
    return _result(survey)


def _id(cell: Cell) -> str:
    return cell.id


def _is_confirmed(survey: Survey) -> bool:
    cell = survey.cells[survey.failing]
    return is_confirmed(survey.asker.deaths(cell), survey.asker.trials(cell))


def _next_step(survey: Survey) -> Step | None:
    """Return the next step; None where the failing cell never died, or nothing is left to ask."""
    if not survey.has_died(survey.failing) or survey.belief.best is None:
        return None
    return _narrowing(survey) if survey.belief.confidence < TARGET else next(checks(survey), None)


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


def _result(survey: Survey) -> Thresholds:
    asker = survey.asker
    return Thresholds(
        survey.grid.axes,
        _isolation(survey),
        tuple(survey.grid.cell(place) for place in survey.corners),
        survey.belief.confidence if survey.has_died(survey.failing) else 0.0,
        asker.known,
        tuple(remarks(survey)),
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
