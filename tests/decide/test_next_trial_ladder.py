"""When the agenda goes further down the memory ladder, and when it stops."""

from __future__ import annotations

from test_next_trial import GROUP, counts, first, ran, simulate

from harness.decide.interventions import LADDER, LOW_RUNGS, LOWER_RUNGS, RUNGS
from harness.decide.next_trial import (
    Step,
)
from harness.model import Trial


class TestRungs:
    """The limits."""

    def test_rungs_are_shares_of_what_the_limit_counts(self) -> None:
        """Of the reference's own peak, for the means that this machine has."""
        own = {"group_peak_bytes": 1000 << 20, "group_is_own": True}
        dead = first(facts={**own, "data_peak_bytes": 3000 << 20})
        for confinement, peak in ((GROUP, 1000 << 20), ("RLIMIT_DATA", 3000 << 20)):
            seen: list[int | None] = []

            def again(step: Step, number: int, seen: list[int | None] = seen) -> Trial:
                seen += [step.memory_limit_bytes] if step.intervention in (*RUNGS, *LOW_RUNGS) else []
                return ran(step, number, True, facts={"group_peak_bytes": 1, "data_peak_bytes": 1})

            simulate(dead, again, confinement)
            assert [int(share * peak) for share in (*LADDER, *LOWER_RUNGS)] == seen


class TestLowerRungs:
    """Only as long as no limit has shown what exhaustion looks like."""

    def test_lower_rungs_are_not_climbed_once_the_ladder_has_told(self) -> None:
        """A death that follows the limit shows no other look of exhaustion, and needs none."""
        left = {"headroom_bytes": 8 << 20, "memory_limit_bytes": 256 << 20, "memory_limit_name": "RLIMIT_DATA"}
        dead = first(facts={**left, "data_peak_bytes": 250 << 20}, factors={})

        def again(step: Step, number: int) -> Trial:
            limit = step.memory_limit_bytes or 256 << 20
            confined = {"confinement": {"kind": "RLIMIT_DATA", "limit_bytes": limit, "applied": True}}
            facts = {**left, "memory_limit_bytes": min(limit, 256 << 20), **confined}
            return ran(step, number, True, facts={"fault_address": "0x0", **facts})

        assert set(counts(simulate(dead, again))) == {"", *(rung.id for rung in RUNGS)}
