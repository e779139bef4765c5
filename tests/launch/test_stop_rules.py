"""When the harness ends a trial."""

from __future__ import annotations

import dataclasses

import pytest

from harness.launch import stop_rules
from harness.launch.stop_rules import Pulse
from harness.plan.plan_file import Limits

WELL = Pulse(seconds=1.0, idle_seconds=0.1, rss_bytes=100, threads=1, step=1, steps_done=0, kind="enter")
ALL = Limits(wall_seconds=60.0, no_progress_seconds=10.0, memory_bytes=1000, steps=3)


class TestFromPlan:
    """The limits that a plan sets."""

    def test_plan_without_limits_ends_no_trial_that_moves(self) -> None:
        """However long it runs, however much it takes and does."""
        armed = stop_rules.from_plan(Limits(None, None, None, None))
        long = dataclasses.replace(WELL, seconds=1e6, rss_bytes=1 << 50, steps_done=10**9, threads=10**4)
        assert [limit.name for limit in armed if limit.reached(long)] == []

    def test_names_in_the_order_in_which_they_are_asked(self) -> None:
        """Steps come first: it is the limit that means well."""
        assert [limit.name for limit in stop_rules.from_plan(ALL)] == ["steps", "memory", "no progress", "wall time"]

    @pytest.mark.parametrize(
        ("field", "below", "most", "name"),
        [
            ("steps_done", 2, 3, "steps"),
            ("rss_bytes", 999, 1000, "memory"),
            ("idle_seconds", 9.99, 10.0, "no progress"),
            ("seconds", 59.9, 60.0, "wall time"),
        ],
    )
    def test_each_is_reached_at_its_most(self, field: str, below: float, most: float, name: str) -> None:
        """Below the number nothing is reached, at it this one alone."""
        armed = stop_rules.from_plan(ALL)
        near, at = (dataclasses.replace(WELL, **{field: value}) for value in (below, most))
        assert [limit.name for limit in armed if limit.reached(near)] == []
        assert [limit.name for limit in armed if limit.reached(at)] == [name]
