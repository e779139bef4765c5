"""Factors -> cells."""

from __future__ import annotations

import os
import sys

import pytest

from harness.model import Cell
from harness.plan import cells as matrix

THREADS = ("threads", (1, 2))
BATCHES = ("batch_size", (1, 4, 8))


class TestCells:
    """Every combination."""

    def test_last_factor_varies_fastest(self) -> None:
        """All combinations, in the plan's order."""
        expected = ["threads=1,batch_size=1", "threads=1,batch_size=4", "threads=1,batch_size=8"]
        expected += ["threads=2,batch_size=1", "threads=2,batch_size=4", "threads=2,batch_size=8"]
        assert expected == [cell.id for cell in matrix.cells((THREADS, BATCHES))]

    def test_no_factor_is_one_cell(self) -> None:
        """Nothing varied is one cell, the program as it is."""
        assert matrix.cells(()) == [Cell(())]
        assert matrix.cells(())[0].id == "as-is"

    def test_ids_are_folder_names(self) -> None:
        """Values that no file system takes are spelt with underscores; factors keep their values."""
        cell = Cell((("path", "a/b:c*"), ("lr", 1e-05), ("name", "ä b"), ("off", None)))
        assert cell.id == "path=a_b_c_,lr=1e-05,name=ä_b,off=None"
        assert cell.as_dict()["path"] == "a/b:c*"


class TestBaseline:
    """The cell that is run first."""

    @pytest.mark.parametrize("index", [0, 3, 5])
    def test_stands_in_front_once(self, index: int) -> None:
        """Every cell is there once, the baseline first, the others in order."""
        cells = matrix.cells((THREADS, BATCHES))
        ordered = matrix.with_baseline_first(cells, cells[index])
        assert ordered[0] == cells[index]
        assert ordered[1:] == [cell for cell in cells if cell != cells[index]]


@pytest.mark.skipif(sys.platform == "win32", reason="sched_setaffinity is not there")
def test_all_cores_are_those_this_process_may_use() -> None:
    """Not the machine's number, but the scheduler's."""
    assert matrix.all_cores() == len(os.sched_getaffinity(0)) >= 1
