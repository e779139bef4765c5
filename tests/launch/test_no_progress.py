"""How long a trial has made no progress, and how long it may."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.launch import stop_rules
from harness.launch.no_progress import (
    Stillness,
    allowed_seconds,
)
from harness.launch.stop_rules import Pulse
from harness.model import ConfigError
from harness.plan import plan_file as plan
from harness.plan.plan_file import Limits

ADAPTIVE = Limits(None, None, None, None)
FIXED = Limits(None, 7.0, None, None)
WELL = Pulse(seconds=1.0, idle_seconds=0.1, rss_bytes=100, threads=1, step=1, steps_done=0, kind="enter")


class TestAllowed:
    """The rule."""

    @pytest.mark.parametrize("median", [None, 0.001, 60.0])
    def test_a_fixed_number_is_the_whole_rule(self, median: float | None) -> None:
        """Whatever the pace."""
        assert allowed_seconds(FIXED, median) == 7.0

    @pytest.mark.parametrize(
        ("median", "seconds"), [(None, 300.0), (0.0, 10.0), (0.99, 10.0), (1.0, 10.0), (1.5, 15.0), (60.0, 600.0)]
    )
    def test_adapts_to_the_pace(self, median: float | None, seconds: float) -> None:
        """The starting limit before the first step; then ten median steps, and never less than ten seconds."""
        assert allowed_seconds(ADAPTIVE, median) == seconds

    def test_every_number_is_the_plans(self) -> None:
        """Nothing is fixed in the code."""
        changed = Limits(None, None, None, None, 2.0, 3.0, 20.0)
        assert [allowed_seconds(changed, median) for median in (None, 0.1, 1.0)] == [20.0, 2.0, 3.0]

    def test_ends_a_trial_at_its_most(self) -> None:
        """Just below it goes on; a trial whose steps are longer is given more time."""
        (armed,) = stop_rules.from_plan(ADAPTIVE)
        assert armed.name == "no progress"
        fast, slow = (dataclasses.replace(WELL, median_step_seconds=median) for median in (0.1, 5.0))
        assert [armed.reached(dataclasses.replace(fast, idle_seconds=idle)) for idle in (9.99, 10.0)] == [False, True]
        assert [armed.reached(dataclasses.replace(slow, idle_seconds=idle)) for idle in (49.9, 50.0)] == [False, True]
        assert [armed.reached(dataclasses.replace(WELL, idle_seconds=idle)) for idle in (299.9, 300.0)] == [False, True]


class TestPlan:
    """limits.no_progress_* of a plan."""

    def test_reads_all_four(self, tmp_path: Path) -> None:
        """As they are written."""
        keys = {
            "no_progress_seconds": 1, "no_progress_least_seconds": 2, "no_progress_steps": 3,
            "no_progress_start_seconds": 4,
        }  # fmt: skip
        read = plan.parse({"target": {"command": ["run.py"]}, "limits": keys}, tmp_path / "plan.yaml").limits
        assert {key: getattr(read, key) for key in keys} == keys

    def test_defaults(self, tmp_path: Path) -> None:
        """Ten steps, ten seconds, five minutes to start."""
        read = plan.parse({"target": {"command": ["run.py"]}}, tmp_path / "plan.yaml").limits
        assert dataclasses.astuple(read) == (None, None, None, None, 10.0, 10.0, 300.0)

    def test_less_than_one_step_is_refused(self, tmp_path: Path) -> None:
        """A limit below the pace would end every trial."""
        raw = {"target": {"command": ["run.py"]}, "limits": {"no_progress_steps": 0.5}}
        with pytest.raises(ConfigError, match="limits.no_progress_steps: must be at least 1"):
            plan.parse(raw, tmp_path / "plan.yaml")


class TestStillness:
    """What is progress, and how long a step takes."""

    def test_a_changed_mark_is_progress(self) -> None:
        """A new flight record, or a new byte of output, and nothing else."""
        still = Stillness(started=100.0)
        assert still.see(101.0, (0, 0), 0, 0) == 0.0
        assert still.see(103.0, (0, 0), 0, 0) == 2.0
        assert still.see(104.0, (0, 5), 0, 0) == 0.0
        assert still.see(105.0, (1, 5), 0, 0) == 0.0
        assert still.see(107.5, (1, 5), 0, 0) == 2.5

    def test_no_pace_before_the_first_step_is_done(self) -> None:
        """However much else has happened."""
        still = Stillness(started=0.0)
        still.see(1.0, (1, 0), 0, 0)
        still.see(50.0, (2, 0), 1, 0)
        assert still.median_step_seconds is None

    def test_the_start_up_is_no_step(self) -> None:
        """The first step begins where a step is first seen, not at the launch."""
        still = Stillness(started=0.0)
        still.see(50.0, (1, 0), 1, 0)
        still.see(52.0, (2, 0), 2, 1)
        assert still.median_step_seconds == 2.0

    def test_takes_the_median(self) -> None:
        """One long step (the first, or one with an evaluation) does not stretch the limit."""
        still = Stillness(started=0.0)
        still.see(0.0, (0, 0), 1, 0)
        for done, now in enumerate((9.0, 10.0, 11.0, 12.0), 1):
            still.see(now, (done, 0), done + 1, done)
        assert still.median_step_seconds == 1.0

    def test_steps_between_two_looks_share_the_time(self) -> None:
        """A target that is faster than the supervisor looks."""
        still = Stillness(started=0.0)
        still.see(0.0, (0, 0), 1, 0)
        still.see(1.0, (9, 0), 5, 4)
        assert still.median_step_seconds == 0.25

    def test_forgets_an_old_pace(self) -> None:
        """A run that has become slow is judged by its own new pace."""
        still = Stillness(started=0.0)
        still.see(0.0, (0, 0), 1, 0)
        still.see(1.0, (1, 0), 1001, 1000)
        for done in range(1, 61):
            still.see(1.0 + 5.0 * done, (1 + done, 0), 1001 + done, 1000 + done)
        assert still.median_step_seconds == 5.0
