"""What is known of a grid so far: its trials, the belief they make, and what of them does not fit it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from harness.decide.statistics import Count
from harness.model import Cell
from harness.shrink.search.answers import Answer
from harness.shrink.search.asker import Asker
from harness.shrink.search.belief import Belief, Candidate
from harness.shrink.search.grid import Grid, Region, regions
from harness.shrink.search.survivors import STEP_ERROR, silence

Step = tuple[int, str, Callable[[], bool]]  # a cell, why it is asked, and whether it has said enough
CONTRADICTION = 0.002  # a silence less likely than that, where a cell should die, is not put down to chance


class Survey:
    """A grid under search; cells are counted in the grid's order, the mildest first."""

    def __init__(self, grid: Grid, asker: Asker[Cell]) -> None:
        """Take the grid and who asks; nothing is asked yet."""
        self.grid, self.asker = grid, asker
        self.places = grid.places()
        self.cells = [grid.cell(place) for place in self.places]
        self.failing = self.places.index(grid.place(grid.failing))
        possible = regions(grid.shape, grid.place(grid.failing))
        found = [(region, region.bits(grid.shape), prior) for region, prior in possible]
        self._regions = {bits: region for region, bits, _ in found}
        self.belief = Belief([Candidate(bits, prior) for _, bits, prior in found])

    def ask(self, cell: int, question: str, is_enough: Callable[[], bool]) -> None:
        """Ask one cell until that is enough, it mostly fails in another way, or no further trial may be had."""
        subject = self.cells[cell]
        while not is_enough() and not self.asker.is_blocked(subject) and not self.asker.is_spent:
            self.asker.ask(subject, question, partial(self._learn, cell))

    def has_died(self, cell: int) -> bool:
        """Whether a cell died: then it is a dying cell, and that is proven."""
        return self.asker.deaths(self.cells[cell]) > 0

    def is_blocked(self, cell: int) -> bool:
        """Whether a cell mostly fails in another way."""
        return self.asker.is_blocked(self.cells[cell])

    def silence(self, cell: int) -> float:
        """Return how likely a cell's survivors are if it dies at the known rate; 1 before its first trial."""
        return silence(self.asker.known, self.asker.survivors(self.cells[cell]))

    def own(self, cell: int) -> Count:
        """Return how often a cell died, of its telling trials."""
        deaths = self.asker.deaths(self.cells[cell])
        return Count(deaths, deaths + self.asker.survivors(self.cells[cell]))

    def milder(self, place: tuple[int, ...]) -> list[int]:
        """Return the cells one step milder than a place, on one axis each."""
        steps = [axis for axis, rank in enumerate(place) if rank]
        return [self.places.index((*place[:axis], place[axis] - 1, *place[axis + 1 :])) for axis in steps]

    def halfway(self, one: int, other: int) -> int:
        """Return the cell halfway between two, on each axis."""
        ends = zip(self.places[one], self.places[other], strict=True)
        return self.places.index(tuple((low + high + 1) // 2 for low, high in ends))

    def is_settled(self, cell: int) -> bool:
        """Whether a cell has died, or was silent for long enough; for longer where it should die."""
        enough = CONTRADICTION if self.should_die(cell) else STEP_ERROR
        return self.has_died(cell) or self.silence(cell) < enough

    def should_die(self, cell: int) -> bool:
        """Whether a cell lies in the most probable region."""
        best = self.belief.best
        return best is not None and bool(best.cells >> cell & 1)

    def unexpected(self, chance: float) -> list[int]:
        """Return the cells that should die and never did, and whose silence is less likely than `chance`."""
        return [
            cell
            for cell in range(len(self.cells))
            if self.should_die(cell) and not self.has_died(cell) and self.silence(cell) < chance
        ]

    def is_spared(self, cell: int) -> bool:
        """Whether a cell should survive, and did so often enough."""
        return not self.should_die(cell) and not self.has_died(cell) and self.is_settled(cell)

    @property
    def corners(self) -> tuple[tuple[int, ...], ...]:
        """The places of the best region's corners; where no region explains the deaths, of the mildest dead cells."""
        best = self.belief.best
        return self._regions[best.cells].corners if best else self._mildest_dead()

    def _mildest_dead(self) -> tuple[tuple[int, ...], ...]:
        dead = [place for cell, place in enumerate(self.places) if self.has_died(cell)]
        return tuple(
            place for place in dead if not any(Region((other,)).holds(place) for other in dead if other != place)
        )

    def _learn(self, cell: int, answer: Answer) -> str:
        """Take an answer into account, and say what it excluded."""
        before = len(self.belief.candidates)
        self.belief.learn(cell, answer)
        gone = before - len(self.belief.candidates)
        if answer is Answer.OTHER:
            return "nothing: another failure is neither this death nor a survivor"
        if answer is Answer.DIES:
            return f"{gone} of {before} boundaries, all that spare this cell" if gone else "nothing new: it dies"
        return f"{'that it dies' if self.is_settled(cell) else 'nothing yet'}: {self._odds(cell)}"

    def _odds(self, cell: int) -> str:
        survived = self.asker.survivors(self.cells[cell])
        times = "once" if survived == 1 else f"{survived} times"
        return f"a dying cell survives {times} with a chance of {self.silence(cell):.1%}"
