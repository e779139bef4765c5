"""Ordered factors, cells and regions."""

from __future__ import annotations

import itertools

import pytest
from simulated import SQUARE, square_cell

from harness.model import Cell
from harness.shrink.search.grid import Axis, Grid, Region, count_regions, regions


class TestRegions:
    """Which cells may be the dying ones."""

    @pytest.mark.parametrize(("shape", "number"), [((1,), 1), ((6,), 6), ((2, 2), 5), ((6, 6), 261), ((3, 4), 30)])
    def test_number_and_priors(self, shape: tuple[int, ...], number: int) -> None:
        """As many as counted; from the harshest cell all are possible; priors add up to 1."""
        found = regions(shape, tuple(length - 1 for length in shape))
        assert len(found) == len({region.bits(shape) for region, _ in found}) == count_regions(shape) == number
        assert sum(prior for _, prior in found) == pytest.approx(1)

    def test_all_hold_the_failing_cell_and_are_closed_upwards(self) -> None:
        """What is harsher than a dying cell dies."""
        places = list(itertools.product(range(4), range(4)))
        for region, _ in regions((4, 4), (2, 1)):
            assert region.holds((2, 1))
            inside = [place for place in places if region.holds(place)]
            assert all(region.holds((a + 1, b + 1)) and region.holds((a + 1, b)) for a, b in inside)

    def test_bits_are_the_cells(self) -> None:
        """Bit n is the grid's cell n."""
        assert Region(((1, 0), (0, 2))).bits((2, 3)) == 0b111100


class TestGrid:
    """Cells and places."""

    def test_the_mildest_comes_first_on_either_side(self) -> None:
        """Of a memory limit the highest is the mildest; other factors stay."""
        failing = Cell((("limit", 100), ("seed", 3), ("threads", 4)))
        grid = Grid(failing, (Axis("limit", (100, 300, 200), low_dies=True), Axis("threads", (4, 1))))
        assert grid.cell((0, 0)) == Cell((("limit", 300), ("seed", 3), ("threads", 1)))
        assert (grid.place(failing), grid.problems()) == ((2, 1), [])
        assert grid.axes[0].condition(200) == "limit <= 200"

    def test_place_and_cell_are_inverse(self) -> None:
        """For all 36."""
        grid = Grid(square_cell((0, 0)), SQUARE)
        assert [grid.place(grid.cell(place)) for place in grid.places()] == grid.places()
