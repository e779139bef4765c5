"""Ordered factors, the cells of their grid, and the regions of cells that may be the dying ones; pure."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any

from harness.model import Cell

MOST_REGIONS = 5000  # 11x11 values; more than that is slow, and better searched one factor after the other


@dataclasses.dataclass(frozen=True)
class Axis:
    """One ordered factor with the values that may be tried.

    `low_dies`: the failure is expected at the low values (a memory limit), not at the high ones (threads).
    """

    name: str
    values: tuple[Any, ...]
    low_dies: bool = False

    @property
    def ordered(self) -> tuple[Any, ...]:
        """The values, the mildest first."""
        return tuple(sorted(self.values, reverse=self.low_dies))

    def condition(self, value: Any) -> str:
        """Return in words that the factor has this value, or a harsher one."""
        return f"{self.name} {'<=' if self.low_dies else '>='} {value}"


@dataclasses.dataclass(frozen=True)
class Grid:
    """All cells that differ from `failing` in the axes alone; cells are counted, the mildest first."""

    failing: Cell
    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def places(self) -> list[tuple[int, ...]]:
        """Return each cell's place: the rank of its value on each axis, 0 the mildest."""
        return list(itertools.product(*(range(length) for length in self.shape)))

    def cell(self, place: Sequence[int]) -> Cell:
        """Return the cell at a place, the other factors as in the failing cell."""
        values = {axis.name: axis.ordered[rank] for axis, rank in zip(self.axes, place, strict=True)}
        return Cell(tuple((self.failing.as_dict() | values).items()))

    def place(self, cell: Cell) -> tuple[int, ...]:
        """Return the place of a cell of this grid."""
        factors = cell.as_dict()
        return tuple(axis.ordered.index(factors[axis.name]) for axis in self.axes)

    def problems(self) -> list[str]:
        """Return why this grid cannot be searched; nothing where it can."""
        factors = self.failing.as_dict()
        lacking = [axis for axis in self.axes if factors.get(axis.name) not in axis.values]
        words = [f"{axis.name}: the failing cell's value is not among {axis.values}" for axis in lacking]
        words += [
            f"{axis.name}: a value stands twice" for axis in self.axes if len(set(axis.values)) < len(axis.values)
        ]
        if len(self.axes) not in (1, 2) or len({axis.name for axis in self.axes}) < len(self.axes):
            words.append("one factor or two different ones can be searched together")
        elif not words and count_regions(self.shape) > MOST_REGIONS:
            words.append(f"{'x'.join(map(str, self.shape))} values are too many: search each factor alone first")
        return words


@dataclasses.dataclass(frozen=True)
class Region:
    """What dies together: every place that is as harsh as one of the corners, or harsher, on each axis."""

    corners: tuple[tuple[int, ...], ...]

    @functools.cache  # noqa: B019 - regions are made once for a shape, and kept
    def bits(self, shape: tuple[int, ...]) -> int:
        """Return the region as an int whose bit `n` says that it holds the grid's cell `n`."""
        return sum(1 << cell for cell, place in enumerate(itertools.product(*map(range, shape))) if self.holds(place))

    def holds(self, place: Sequence[int]) -> bool:
        """Whether the region holds a place."""
        return any(all(rank >= least for rank, least in zip(place, corner, strict=True)) for corner in self.corners)


@functools.lru_cache(maxsize=64)
def regions(shape: tuple[int, ...], failing: tuple[int, ...]) -> tuple[tuple[Region, float], ...]:
    """Return the regions of a grid that hold the failing place, with their priors.

    One corner is one cause ("threads >= 2 and batch_size >= 4"). Two corners, neither harsher than the other, are two
    causes: one in each factor ("threads >= 2 or batch_size >= 8"), or any other two. One cause is as likely as two, of
    two the kinds are equally likely, and within a kind all regions are: where the failure begins is not guessed.
    """
    places = list(itertools.product(*map(range, shape)))
    pairs = itertools.combinations(places, 2) if len(shape) > 1 else ()
    double = [Region(pair) for pair in pairs if _are_apart(*pair)]
    kinds = [
        ([Region((place,)) for place in places], 0.5),
        ([region for region in double if _is_one_each(region)], 0.25),
        ([region for region in double if not _is_one_each(region)], 0.25),
    ]
    present = [([region for region in kind if region.holds(failing)], share) for kind, share in kinds]
    total = sum(share for kind, share in present if kind)
    return tuple((region, share / total / len(kind)) for kind, share in present for region in kind)


def count_regions(shape: Sequence[int]) -> int:
    """Return how many regions a grid has at most: its cells, and for two axes each pair of ranks on either axis."""
    if len(shape) == 1:
        return shape[0]
    rows, columns = shape
    return rows * columns + rows * (rows - 1) * columns * (columns - 1) // 4


def _is_one_each(region: Region) -> bool:
    """Whether each corner is a cause in one factor alone."""
    return all(0 in corner for corner in region.corners)


def _are_apart(one: Sequence[int], other: Sequence[int]) -> bool:
    return not Region((tuple(one),)).holds(other) and not Region((tuple(other),)).holds(one)
