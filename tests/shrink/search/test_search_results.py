"""What the searches return, in words and as JSON."""

from __future__ import annotations

import dataclasses
import json

from simulated import SQUARE, Simulated, in_square, square_cell, with_sets

from harness.model import Cell
from harness.shrink.search.answers import Answer, Asked, Isolation
from harness.shrink.search.delta import delta
from harness.shrink.search.grid import Axis
from harness.shrink.search.thresholds import thresholds


class TestThresholds:
    """Where the failure begins."""

    def test_row_is_json_and_holds_the_trace(self) -> None:
        """Rows come back as they were; the sentences are in it."""
        result = thresholds(square_cell((5, 5)), SQUARE, Simulated(in_square(((1, 2),), 1.0), 0))
        row = json.loads(json.dumps(result.as_row()))
        assert row["corners"] == [{"threads": 2, "batch_size": 4}]
        assert row["conditions"] == "threads >= 2 and batch_size >= 4"
        assert row["statement"].startswith("dies at threads >= 2 and batch_size >= 4; confidence 0.9")
        assert tuple(map(Asked.from_row, row["trace"])) == result.trace
        assert all(asked.question and asked.excluded for asked in result.trace)

    def test_low_side_is_told_as_such(self) -> None:
        """A memory limit: dies at it or below."""
        trial = Simulated(lambda cell: float(cell.as_dict()["limit"] <= 300), 0)
        result = thresholds(Cell((("limit", 100),)), [Axis("limit", (100, 200, 300, 400, 500), low_dies=True)], trial)
        assert result.conditions == "limit <= 300"

    def test_each_end_has_its_sentence(self) -> None:
        """Not isolated, not monotone, not reproduced, spent."""
        result = thresholds(square_cell((5, 5)), SQUARE, Simulated(in_square(((1, 2),), 1.0), 0))
        said = {
            kind: dataclasses.replace(result, isolation=kind, confidence=0.5, is_spent=True).statement
            for kind in Isolation
        }
        assert said[Isolation.ISOLATED].endswith("confidence 0.500, the budget is spent")
        assert said[Isolation.NOT_ISOLATED].startswith("not isolated: confidence 0.500, the budget is spent")
        assert said[Isolation.NOT_MONOTONE].startswith("no boundary: ")
        assert said[Isolation.NOT_REPRODUCED].startswith("not reproduced: the failing cell died in none of ")


class TestMinimal:
    """The smallest set that dies."""

    def test_row_is_json_and_names_the_labels(self) -> None:
        """Differences are opaque; their labels are told."""
        trial = Simulated(lambda subset: float({2, 5} <= set(subset)), 0)
        result = delta(range(8), trial, label=lambda n: f"setting {n}")
        row = json.loads(json.dumps(result.as_row()))
        assert row["labels"] == ["setting 2", "setting 5"]
        assert row["statement"].startswith("dies with: setting 2, setting 5; confidence 0.99")
        assert tuple(map(Asked.from_row, row["trace"])) == result.trace

    def test_tells_of_another_cause(self) -> None:
        """In the sentence and in the row."""
        result = delta(range(8), Simulated(with_sets([{2}, {5}], 1.0), 0))
        assert (result.another_cause, result.as_row()["another_cause"]) == (True, True)
        assert "another, independent cause remains" in result.statement

    def test_each_end_has_its_sentence(self) -> None:
        """Not reproduced; cut short."""
        never = delta(range(3), lambda subset: Answer.SURVIVES)
        assert never.statement == "not reproduced: with all differences it died in none of 120 trials"
        short = delta(range(9), Simulated(with_sets([{2}], 1.0), 0, 9))
        assert short.statement.startswith("not isolated: confidence ")
        assert "the budget is spent" in short.statement
