"""A thread that an exception ended right when nothing moved any more: on real programs, and what is made of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from built_trials import case, trial
from decided_cases import ALL
from observing import observe

from harness.decide.hypotheses import hang, python_exception

LOST = """
import queue, threading, time
box, scale = queue.Queue(2), {str(number): 1.0 for number in range(30)}
def feed():
    for number in range(40):
        time.sleep(0.02)
        box.put(number * scale[str(number)])
threading.Thread(target=feed, daemon=True).start()
for row in range(40):
    print("row", row, box.get(), flush=True)
"""
ELSEWHERE = """
import threading, time
def note():
    raise OSError("no board to write to")
threading.Thread(target=note).start()
one = threading.Lock()
for step in range(60):
    print("step", step, flush=True)
    time.sleep(0.08)
one.acquire()
one.acquire()
"""
RAISED = {
    "thread": "feeder", "is_main": False, "errno": None, "filename": None, "bases": ["Exception"], "type": "KeyError",
    "message": "7",
}  # fmt: skip
STANDS = {"hang_looks": 3, "hang_kind": "deadlock", "idle_seconds": 10.0, "python_error": RAISED}
LATE = {"thread": "feeder", "type": "KeyError", "process": 7, "message": "7", "seconds": 0.2}
THEN = {"error_before_standstill": LATE}


def hung(number: int, facts: dict[str, Any]) -> list:
    """Return so many standstills."""
    known = {**STANDS, **facts}
    return [trial(n, "hung", signal="SIGKILL", ended_by="harness", facts=known) for n in range(1, number + 1)]


@pytest.mark.skipif(sys.platform == "win32", reason="a standstill is looked at on Linux")
@pytest.mark.parametrize(("text", "is_told"), [(LOST, True), (ELSEWHERE, False)])
def test_real_programs(tmp_path: Path, text: str, is_told: bool) -> None:
    """A feeder that dies, and its consumer waits; and a helper that died long before the locks were taken."""
    (tmp_path / "script.py").write_text(text)
    found = observe(tmp_path, tmp_path / "script.py", limits={"no_progress_seconds": 1.5, "wall_seconds": 40}).trial
    assert (found.outcome, found.value("python_error") is not None) == ("hung", True)
    assert (found.fact("error_before_standstill") is not None) is is_told


def test_the_exception_is_the_cause() -> None:
    """In each of at least two failures; the standstill is how it shows."""
    asked = case(*hung(2, THEN), controls=ALL)
    assert python_exception.judge(asked).status == "established"
    assert hang.judge(asked).status == "ruled-out"


@pytest.mark.parametrize("failures", [hung(1, THEN), hung(3, {}), [*hung(2, THEN), *hung(3, {})[2:]]])
def test_one_is_chance(failures: list) -> None:
    """Once, never, or not each time: the standstill stays what it is."""
    assert hang.judge(case(*failures, controls=ALL)).status == "established"


def test_an_exception_long_before_is_not_established_beside_the_standstill() -> None:
    """The program went on without that thread: it may have nothing to do with it."""
    asked = case(*hung(3, {}), controls=ALL)
    finding = python_exception.judge(asked)
    assert (finding.status, [gap.probe for gap in finding.gaps]) == ("supported", ["standstill"])
