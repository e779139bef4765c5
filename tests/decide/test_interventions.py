"""What can be changed about a failing cell."""

from __future__ import annotations

import dataclasses

import pytest

from harness.decide.hypotheses import HYPOTHESES
from harness.decide.interventions import (
    CATALOGUE,
    LADDER,
    LOW_RUNGS,
    ONE_THREAD,
    RUNGS,
    Intervention,
    by_id,
    rung_share,
)
from harness.model import Cell

KNOBS = {
    "factors": (), "variables": (), "memory_share": None, "stack_bytes": None, "onednn": True, "inside_probes": True,
    "own_signals": True, "lift_limits": False, "torch_threads": None, "tells_torch": True, "one_core": False,
    "switch_seconds": None,
}  # fmt: skip
CELL = Cell((("threads", 4), ("batch_size", 8)))


@pytest.mark.parametrize("intervention", CATALOGUE, ids=[one.id for one in CATALOGUE])
class TestEach:
    """What holds for every entry."""

    def test_isolates_a_hypothesis_or_nothing(self, intervention: Intervention) -> None:
        """What it is said to decide is one of the ten."""
        assert intervention.isolates is None or intervention.isolates in {one.ID for one in HYPOTHESES}

    def test_changes_one_thing(self, intervention: Intervention) -> None:
        """One knob; the stack has two sides, OpenMP's workers and all others, and torch must not be told otherwise."""
        turned = {name for name, default in KNOBS.items() if getattr(intervention, name) != default}
        assert len(turned) == 1 or turned in ({"variables", "stack_bytes"}, {"variables", "tells_torch"})

    def test_is_found_by_its_id_and_can_be_a_folder(self, intervention: Intervention) -> None:
        """The id is part of a trial's folder name."""
        assert by_id(intervention.id) is intervention
        assert not set(intervention.id) & set('/\\:*?"<>|+ ')

    def test_leaves_every_other_factor_alone(self, intervention: Intervention) -> None:
        """The cell under it differs in the factors that it names, and in nothing else."""
        changed = intervention.applied_to(CELL).as_dict()
        assert {**CELL.as_dict(), **dict(intervention.factors)} == changed
        assert CELL.as_dict() == {"threads": 4, "batch_size": 8}


class TestCatalogue:
    """All of them."""

    def test_knobs_are_all_there_are(self) -> None:
        """Guards the table above against a new field."""
        fields = {field.name for field in dataclasses.fields(Intervention)}
        assert {"id", "isolates", *KNOBS} == fields

    def test_ids_are_unique(self) -> None:
        """A trial's record names its intervention by it."""
        assert len(CATALOGUE) == len({one.id for one in CATALOGUE})

    def test_batch_size_is_no_intervention(self) -> None:
        """It changes memory and each thread's work at once, so it decides neither."""
        assert not any(name == "batch_size" for one in CATALOGUE for name, _ in one.factors)

    def test_unknown_id_is_a_fault_of_the_harness(self) -> None:
        """It surfaces."""
        with pytest.raises(KeyError, match="no such"):
            by_id("no such")


class TestRungs:
    """The memory ladder."""

    def test_are_the_ladder_s_own(self) -> None:
        """Shares of the peak, the widest first; no other intervention is a rung."""
        assert tuple(one.memory_share for one in RUNGS) == LADDER == (1.5, 1.0, 0.8, 0.6)
        assert [one.id for one in RUNGS] == ["memory=1.5x", "memory=1x", "memory=0.8x", "memory=0.6x"]
        assert {*RUNGS, *LOW_RUNGS} == {one for one in CATALOGUE if rung_share(one.id) is not None}
        assert rung_share("no such") is None


class TestApplied:
    """Factor values."""

    def test_keeps_the_order_of_factors(self) -> None:
        """The cell that one thread leads to is the matrix' own cell."""
        assert Cell((("threads", 1), ("batch_size", 8))) == ONE_THREAD.applied_to(CELL)

    def test_adds_a_factor_that_is_not_there(self) -> None:
        """A target as it is gets one thread as well."""
        assert Cell((("threads", 1),)) == ONE_THREAD.applied_to(Cell(()))
