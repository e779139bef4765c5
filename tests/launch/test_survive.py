"""`survive`: a trial that has lived for long enough is ended, and is alive and well."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from observing import observe, victim

from harness.launch import stop_rules
from harness.launch.stop_rules import Pulse
from harness.model import ConfigError
from harness.plan import plan_file as plan
from harness.plan.plan_file import Limits
from harness.plan.survive import Survive
from probes import records
from probes.outside.progress.live_progress import Processes

WELL = Pulse(seconds=1.0, idle_seconds=0.1, rss_bytes=100, threads=1, step=1, steps_done=0, kind="enter")
NONE = Limits(None, None, None, None)


def parse(value: object) -> Survive | None:
    """Return what a plan with this value says."""
    return plan.parse({"target": {"command": ["x.py"]}, "survive": value}, Path("plan.yaml")).survive


class TestPlan:
    """What can be asked for."""

    @pytest.mark.parametrize(
        ("text", "number", "unit"),
        [
            ("40 forwards", 40, "forwards"), ("1 forward", 1, "forwards"), ("10 steps", 10, "steps"),
            ("90 seconds", 90, "seconds"), ("2.5 s", 2.5, "seconds"), ("15m", 900, "seconds"), ("1h", 3600, "seconds"),
            (None, None, None),
        ],
    )  # fmt: skip
    def test_is_read(self, text: str | None, number: float | None, unit: str | None) -> None:
        """Forwards, steps, or a time."""
        read = parse(text)
        assert (read and read.number, read and read.unit) == (number, unit)

    @pytest.mark.parametrize("value", ["forty forwards", "40", 40, "0 steps", "1.5 forwards", "40 epochs", []])
    def test_anything_else_is_refused(self, value: object) -> None:
        """With an example."""
        with pytest.raises(ConfigError, match=r"survive: expected e\.g\. 40 forwards, 10 steps or 90 seconds, got"):
            parse(value)


class TestLimit:
    """When it is reached."""

    @pytest.mark.parametrize(
        ("text", "field"), [("40 forwards", "forwards"), ("40 steps", "steps_done"), ("40s", "seconds")]
    )
    def test_at_its_number_and_not_before(self, text: str, field: str) -> None:
        """It comes first, as it means well; where something has died it is not reached."""
        armed = stop_rules.from_plan(NONE, parse(text))
        assert armed[0].name == "survived"
        assert not armed[0].reached(dataclasses.replace(WELL, **{field: 39}))
        assert armed[0].reached(dataclasses.replace(WELL, **{field: 40}))
        assert not armed[0].reached(dataclasses.replace(WELL, **{field: 40}, deaths=1))


class TestForwards:
    """Counted from forwards.jsonl, of the process that has done most."""

    def test_only_whole_models_that_ended(self, tmp_path: Path) -> None:
        """Parts, begins and a torn line do not count; what comes later does."""
        rows = [("begin", 0), ("begin", 1), ("end", 1), ("end", 0), ("begin", 0)]
        lines = [
            json.dumps({"event": event, "depth": depth, "thread": 1}, separators=(",", ":")) for event, depth in rows
        ]
        path = tmp_path / records.FORWARDS
        path.write_text("\n".join(lines) + '\n{"event":"end","de')
        processes = Processes(tmp_path)
        assert processes.count_forwards() == 1
        with open(path, "a") as stream:
            stream.write('pth":0,"thread":1}\n')
        assert processes.count_forwards() == 2
        other = tmp_path / "processes" / "7"
        other.mkdir(parents=True)
        (other / records.FORWARDS).write_text((lines[3] + "\n") * 5)
        processes.look()
        assert processes.count_forwards() == 5


class TestTrial:
    """Real programs."""

    def test_that_lives_for_the_time_is_stopped_and_well(self, tmp_path: Path) -> None:
        """It knows nothing of it, and is ended in the middle of its loop."""
        observed = observe(tmp_path, victim("endless_loop"), survive="1 second")
        assert (observed.exit["ended_by"], observed.exit["limit"]) == ("harness", "survived")
        assert observed.trial.outcome == "stopped"
        assert observed.trial.exit.meaning == "alive and well after 1 second, and ended there by the harness"

    def test_that_dies_before_is_dead(self, tmp_path: Path) -> None:
        """Its death is its outcome."""
        assert observe(tmp_path, victim("segv"), survive="30 seconds").trial.outcome == "died"

    def test_that_ends_well_before_is_completed(self, tmp_path: Path) -> None:
        """It need not live for so long."""
        assert observe(tmp_path, victim("healthy"), survive="30 seconds").trial.outcome == "completed"

    @pytest.mark.torch
    @pytest.mark.parametrize(("text", "least"), [("7 forwards", 6), ("5 steps", 5)])
    def test_that_trains_is_stopped_after_its_forwards(self, tmp_path: Path, text: str, least: int) -> None:
        """Counted from outside."""
        observed = observe(tmp_path, victim("tiny_trainer"), 1000, "none", 0.1, survive=text)
        assert (observed.trial.outcome, observed.exit["limit"]) == ("stopped", "survived")
        assert least <= observed.trial.value("steps_done") <= least + 4

    @pytest.mark.torch
    def test_that_dies_at_the_fourth_forward_has_not_survived_forty(self, tmp_path: Path) -> None:
        """The fault comes first."""
        observed = observe(tmp_path, victim("tiny_trainer"), 1000, "segv", survive="40 forwards")
        assert (observed.trial.outcome, observed.trial.exit.signal) == ("died", "SIGSEGV")
