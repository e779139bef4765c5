"""Who died first, as the main process tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_folders import ID, Records

from harness.facts.processes import workers
from probes.records import PYTHON_ERROR, STDERR

KILLED = "RuntimeError: DataLoader worker (pid 11043) is killed by signal: {}. "


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Killed", "SIGKILL"), ("Segmentation fault", "SIGSEGV"), ("Bus error", "SIGBUS"), ("Terminated", "SIGTERM"),
        ("CPU time limit exceeded", "SIGXCPU"), ("Real-time signal 3", "Real-time signal 3"),
    ],
)  # fmt: skip
def test_signal_is_named(tmp_path: Path, words: str, name: str) -> None:
    """strsignal's words, from stderr, with the line."""
    folder = Records(tmp_path).text(STDERR, "step 1\n" + KILLED.format(words) + "\n").folder()
    found = workers.facts(folder)
    assert [fact.value for fact in found] == [{"pid": 11043, "signal": name}]
    assert [str(source) for source in found[0].sources] == [f"trials/{ID}/stderr.log:2"]


def test_traceback_comes_before_stderr(tmp_path: Path) -> None:
    """The exception's cause holds the first death; the exception itself only says `exited unexpectedly`."""
    made = Records(tmp_path).text(STDERR, KILLED.format("Terminated") + "\n")
    row = {"pid": 1, "type": "RuntimeError", "traceback": [KILLED.format("Killed"), "exited unexpectedly"]}
    found = workers.facts(made.lines(PYTHON_ERROR, [row]).exit(pid=1).folder())
    assert [fact.value["signal"] for fact in found] == ["SIGKILL"]


def test_nothing_is_told(tmp_path: Path) -> None:
    """No worker, no fact."""
    assert workers.facts(Records(tmp_path).text(STDERR, "DataLoader is fine\n").folder()) == []
