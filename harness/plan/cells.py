"""Factors -> cells; pure."""

from __future__ import annotations

import itertools
import os
from typing import Any

from harness.model import Cell


def all_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cells(factors: tuple[tuple[str, tuple[Any, ...]], ...]) -> list[Cell]:
    """Return every combination, the last factor varying fastest; one empty cell where there is no factor."""
    names = [name for name, _ in factors]
    combinations = itertools.product(*(values for _, values in factors))
    return [Cell(tuple(zip(names, combination, strict=True))) for combination in combinations]


def with_baseline_first(all_cells: list[Cell], baseline: Cell) -> list[Cell]:
    """Return the cells with the baseline in front: is there a failure at all, before anything is varied?"""
    return [baseline] + [cell for cell in all_cells if cell != baseline]
