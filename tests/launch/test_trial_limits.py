"""Trials that the harness ends, and what they leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from observing import SECONDS, is_gone, observe, python_children, victim

from harness.facts import reading as facts
from harness.launch import trial
from harness.launch.stop_rules import Pulse
from harness.plan import plan_file as plan
from probes import records

MIB = 1 << 20


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


class TestNoProgress:
    """Neither output nor flight records for as long as the plan allows."""

    @pytest.mark.parametrize("name", ["endless_loop", "deadlock"])
    def test_is_a_hang(self, tmp_path: Path, name: str) -> None:
        """A busy and a blocked program are both ended by the harness and called hung."""
        observed = observe(tmp_path, victim(name), limits={"no_progress_seconds": 1.0})
        record = observed.exit
        assert (record["code"], record["signal"]) == (None, "SIGKILL")
        assert (record["ended_by"], record["limit"]) == ("harness", "no progress")
        assert observed.trial.outcome == "hung"
        assert observed.trial.exit.meaning == "ended by the harness at the limit: no progress"
        assert 1.0 <= record["seconds"] < SECONDS / 2
        assert is_gone(record["pid"])

    def test_busy_and_blocked_differ_in_cpu_time(self, tmp_path: Path) -> None:
        """The loop used its processor, the deadlock did not."""
        limits = {"no_progress_seconds": 1.0}
        busy, blocked = (
            observe(tmp_path / name, victim(name), limits=limits).exit for name in ("endless_loop", "deadlock")
        )
        assert busy["user_seconds"] > 0.3
        assert blocked["user_seconds"] < 0.3

    def test_output_is_progress(self, tmp_path: Path) -> None:
        """A program that prints now and then is left alone, however long it takes."""
        script = tmp_path / "talks.py"
        script.write_text("import time\nfor _ in range(8):\n    print('.', flush=True)\n    time.sleep(0.25)\n")
        observed = observe(tmp_path, script, limits={"no_progress_seconds": 1.5})
        assert (observed.trial.outcome, observed.exit["limit"]) == ("completed", None)
        assert observed.exit["seconds"] > 1.5


class TestWallTime:
    """The whole trial's time."""

    def test_tells_nothing_of_the_program(self, tmp_path: Path) -> None:
        """A trial cut off by the clock is unresolved: neither well nor failed."""
        observed = observe(tmp_path, victim("endless_loop"), limits={"wall_seconds": 0.5})
        record = observed.exit
        assert (record["signal"], record["ended_by"], record["limit"]) == ("SIGKILL", "harness", "wall time")
        assert observed.trial.outcome == "unresolved"
        assert not observed.trial.outcome.is_failure


class TestMemory:
    """limits.memory_bytes."""

    def test_stops_a_program_that_grows(self, tmp_path: Path) -> None:
        """It is stopped soon after it has passed the limit, and the facts show how much it took."""
        observed = observe(tmp_path, victim("grow"), limits={"memory_bytes": 150 * MIB})
        record = observed.exit
        assert (record["signal"], record["ended_by"], record["limit"]) == ("SIGKILL", "harness", "memory")
        assert observed.trial.outcome == "stopped"
        assert 150 * MIB <= observed.trial.value("peak_rss_bytes") < 400 * MIB
        assert observed.trial.value("memory_limit_name") == "the plan's limits.memory_bytes"
        assert observed.trial.value("headroom_bytes") <= 0
        assert observed.text(records.STDOUT).startswith("20 MiB\n40 MiB\n60 MiB\n")


class TestOrphan:
    """Processes that outlive the program."""

    def test_is_swept(self, tmp_path: Path) -> None:
        """A grandchild in a session of its own, deaf to SIGTERM and SIGHUP, is found, named and gone."""
        before = python_children()
        observed = observe(tmp_path, victim("orphan"), tmp_path / "pid")
        orphan = int((tmp_path / "pid").read_text())
        assert observed.exit["left_behind"] == [orphan]
        assert (observed.exit["code"], observed.exit["ended_by"]) == (0, "itself")
        assert observed.trial.value("left_behind") == [orphan]
        assert is_gone(orphan)
        assert python_children() == before

    def test_is_swept_at_a_limit_too(self, tmp_path: Path) -> None:
        """A child that is ended with a grandchild alive leaves none."""
        script = tmp_path / "both.py"
        text = victim("orphan").read_text(encoding="utf-8")
        script.write_text(text.replace('print("parent leaves", flush=True)', "time.sleep(120)"), encoding="utf-8")
        observed = observe(tmp_path, script, tmp_path / "pid", limits={"no_progress_seconds": 1.0})
        orphan = int((tmp_path / "pid").read_text())
        assert observed.exit["limit"] == "no progress"
        assert observed.exit["left_behind"] == [orphan]
        assert is_gone(orphan) and is_gone(observed.exit["pid"])


class TestInterrupted:
    """The watcher's answer."""

    def test_ends_the_trial(self, tmp_path: Path) -> None:
        """A watcher that says no ends the trial at once; its records are whole, its end is unresolved."""
        pulses: list[Pulse] = []

        def keep_going(pulse: Pulse) -> bool:
            pulses.append(pulse)
            return pulse.seconds < 0.5

        read = plan.parse({"target": {"command": [str(victim("endless_loop"))]}}, tmp_path / "plan.yaml")
        request = trial.Request("as-is/1", tmp_path / "trials" / "as-is" / "1", read.baseline, read)
        trial.run(request, keep_going)
        seen = facts.read(tmp_path, "as-is/1")
        assert (seen.outcome, seen.exit.meaning) == ("unresolved", "ended by the harness at the limit: interrupted")
        assert [pulse.seconds for pulse in pulses] == sorted(pulse.seconds for pulse in pulses)
        assert (pulses[-1].step, pulses[-1].steps_done, pulses[-1].kind) == (0, 0, "start")
        assert pulses[-1].rss_bytes > MIB
        assert is_gone((records.read_json(request.folder / records.EXIT) or {})["pid"])
