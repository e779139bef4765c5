"""A training run that stands still in the middle: found by its own pace, long before any fixed limit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from observing import observe, source_line, victim

pytestmark = [pytest.mark.torch, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
LIMITS = {"no_progress_least_seconds": 1.5, "no_progress_steps": 10, "no_progress_start_seconds": 50}
SECONDS = 45.0


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("program", [("8",), ("8", "worker")], ids=["forward", "worker"])
def test_is_found_by_its_own_pace(tmp_path: Path, program: tuple[str, ...]) -> None:
    """The start-up, longer than the limit for a step, is let be; the lock in the ninth step is a deadlock."""
    observed = observe(tmp_path, victim("hang_training"), *program, limits=LIMITS)
    trial = observed.trial
    assert (trial.outcome, observed.exit["limit"], trial.value("steps_done")) == ("hung", "no progress", 8)
    assert 0.04 < trial.value("median_step_seconds") < 0.5
    assert 1.5 <= trial.value("allowed_idle_seconds") <= trial.value("idle_seconds") < 10
    assert observed.exit["seconds"] < SECONDS
    assert trial.value("hang_kind") == "deadlock"
    words = "if WORKER and index == STEPS" if "worker" in program else "if self.calls > STEPS"
    place = f"({victim('hang_training')}:{source_line(victim('hang_training'), words) + 1})"
    waits = [fact.value for fact in trial.facts if fact.name == "hang_wait"]
    assert any(place in text for text in waits), waits
