"""A process that the target forks and that goes its own way is no part of it: by the trace, and by its own record."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from observing import Observed, observe

from harness.decide import judged
from harness.decide.hypotheses import deliberate_exit
from probes.outside.system.signals import SignalsProbe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sessions, and signals with a sender")
GUARD = """
import os, time
job = os.getpid()
if os.fork() == 0:
    if {leaves}:
        os.setsid()
    if {again} and os.fork():
        os._exit(0)
    time.sleep(0.6)
    os.kill(job, {number})
    time.sleep(0.5)
    os._exit(0)
time.sleep(9)
"""
RAISED = "import ctypes; ctypes.CDLL(None)['raise']({number})"


@pytest.fixture(params=["as it is", "untraced"])
def means(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Observe with the kernel's trace where it is permitted, and without."""
    if request.param == "untraced":
        monkeypatch.setattr(SignalsProbe, "missing", classmethod(lambda cls: "switched off"))
    return str(request.param)


def run(folder: Path, text: str) -> Observed:
    """Observe a script of this text."""
    (folder / "script.py").write_text(text)
    return observe(folder, folder / "script.py")


@pytest.mark.parametrize(("again", "number"), [(True, 9), (False, 10), (True, 37), (False, 15)])
def test_guard_in_a_session_of_its_own(tmp_path: Path, means: str, again: bool, number: int) -> None:
    """It kills from outside, and the program has not asked for its end."""
    found = run(tmp_path, GUARD.format(leaves=True, again=again, number=number)).trial
    assert found.outcome == "died" and judged.is_from_outside(found), means
    assert judged.sender(found) == judged.DETACHED
    assert found.exit.ended_by == "outside" and "its own" not in found.exit.meaning
    assert not deliberate_exit.predicts(found)


@pytest.mark.parametrize("number", [9, 12])
def test_child_in_the_session_of_the_program(tmp_path: Path, means: str, number: int) -> None:
    """It belongs to the program, which thus ended itself."""
    found = run(tmp_path, GUARD.format(leaves=False, again=False, number=number)).trial
    assert found.outcome == "died" and not judged.is_from_outside(found), means
    assert deliberate_exit.predicts(found)


@pytest.mark.skipif(bool(SignalsProbe.missing()), reason="the sender is told by the trace alone")
@pytest.mark.parametrize(("number", "is_asked"), [(15, True), (10, True), (2, False), (13, False)])
def test_native_code_that_sends_its_own_process_a_signal(tmp_path: Path, number: int, is_asked: bool) -> None:
    """A signal that asks for an end is a wish, of the program or of a library; others have other reasons."""
    found = run(tmp_path, RAISED.format(number=number)).trial
    assert deliberate_exit.predicts(found) is is_asked
