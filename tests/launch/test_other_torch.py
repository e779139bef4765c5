"""A target of another torch: what it has is used. Set INQUEST_OTHER_PYTHON to a Python with such a torch (1.13 on)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from observing import observe, victim

PYTHON = os.environ.get("INQUEST_OTHER_PYTHON", "")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not PYTHON, reason="INQUEST_OTHER_PYTHON names no Python with another torch"),
]


def test_steps_and_calls_are_counted(tmp_path: Path) -> None:
    """Also where torch tells of no optimizer steps by itself (before 2.0)."""
    target = {"command": [str(victim("tiny_trainer")), "6"], "python": PYTHON}
    observed = observe(tmp_path, target=target, expect={"steps": 6})
    assert (observed.trial.outcome, observed.trial.value("steps_done")) == ("completed", 6)
    names = [(timing.module, timing.call, timing.count) for timing in observed.trial.forwards]
    assert names == [("Siamese", 1, 6), ("backbone", 1, 6), ("backbone", 2, 6), ("head", 1, 6)]


def test_crash_is_held_in_its_place(tmp_path: Path) -> None:
    """The true signal, and the call in which it came."""
    target = {"command": [str(victim("tiny_trainer")), "6", "segv"], "python": PYTHON}
    observed = observe(tmp_path, target=target)
    assert (observed.trial.exit.signal, str(observed.trial.last_event)) == ("SIGSEGV", "backbone, call 2 of step 2")


def test_worker_is_the_first_to_die(tmp_path: Path) -> None:
    """Of a DataLoader."""
    target = {"command": [str(victim("loader_worker")), "fork", "kill"], "python": PYTHON}
    assert observe(tmp_path, target=target).trial.value("first_death")["how"] == "SIGKILL"
