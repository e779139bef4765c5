"""Ctrl-C on a running inquest, and going on with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import jsonschema
import pytest
from observing import SECONDS, environment, harness, is_gone, victim, wait_for

from harness.launch.interrupt import Interrupt
from harness.report import evidence as evidence_json
from probes import records

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process there"
)


def interrupted(directory: Path, number: signal.Signals, *settings: str) -> tuple[int, str, str]:
    """Start an inquest on a program that never ends, signal the supervisor once it runs, and return how it ended."""
    command = [sys.executable, "-m", "harness", "run", "--once", "--out", "out", *settings]
    with ExitStack() as stack:
        supervisor = subprocess.Popen(
            [*command, "--", str(victim("endless_loop")), str(directory / "pid")], cwd=directory, env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
        )  # fmt: skip
        stack.callback(supervisor.kill)  # of a process that was waited for, this does nothing
        wait_for((directory / "pid").exists)
        os.killpg(supervisor.pid, number)
        stdout, stderr = supervisor.communicate(timeout=SECONDS)
    return supervisor.returncode, stdout, stderr


class TestControlC:
    """SIGINT and SIGTERM while a trial runs."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ends_in_order(self, tmp_path: Path, number: signal.Signals) -> None:
        """Exit code 130, no process left, a word how to go on, the folder as the last line, the report there."""
        code, stdout, stderr = interrupted(tmp_path, number)
        lines = stdout.splitlines()
        folder = tmp_path / lines[-1]
        assert (code, stderr) == (130, "")
        assert is_gone(int((tmp_path / "pid").read_text()))
        assert f"interrupted; go on with: harness run --resume {lines[-1]}" in lines
        data = json.loads((folder / records.EVIDENCE).read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(evidence_json.schema()).validate(data)
        assert data["inquest"]["interrupted"] is True
        assert data["trials"] == []
        record = records.read_json(folder / "trials" / "as-is" / "1" / records.EXIT) or {}
        assert (record["ended_by"], record["limit"], record["signal"]) == ("harness", "interrupted", "SIGKILL")

    def test_inquest_goes_on_where_it_was(self, tmp_path: Path) -> None:
        """--resume runs the trial that was cut off anew, with the stored plan, and the evidence is complete."""
        _, stdout, _ = interrupted(tmp_path, signal.SIGINT, "--set", "limits.wall_seconds=4")
        folder = tmp_path / stdout.splitlines()[-1]
        done = harness(tmp_path, "run", "--resume", folder)
        data = json.loads((folder / records.EVIDENCE).read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(evidence_json.schema()).validate(data)
        assert done.returncode == 4  # its one trial is cut off by the clock, which is missing evidence
        assert data["inquest"]["interrupted"] is False
        assert [(trial["id"], trial["outcome"]) for trial in data["trials"]] == [("as-is/2", "unresolved")]
        assert done.stdout.splitlines()[-1] == str(folder)
        assert is_gone(int((tmp_path / "pid").read_text()))

    def test_finished_inquest_needs_no_more(self, tmp_path: Path) -> None:
        """--resume of an inquest that is done runs nothing and gives the same answer."""
        first = harness(tmp_path, "run", "--once", "--out", "out", "--", victim("exit_three"))
        folder = tmp_path / first.stdout.splitlines()[-1]
        again = harness(tmp_path, "run", "--resume", folder)
        assert (first.returncode, again.returncode) == (3, 3)
        assert not any(line.startswith("trial ") for line in again.stdout.splitlines())
        assert len(list((folder / "trials" / "as-is").iterdir())) == 1


class TestInterrupt:
    """The question that the work asks itself."""

    def test_first_signal_is_noted(self) -> None:
        """One SIGINT raises nothing; the handlers of before are back afterwards."""
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        with Interrupt() as interrupt:
            assert interrupt.asked is False
            signal.raise_signal(signal.SIGINT)
            assert interrupt.asked is True
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before

    def test_second_signal_ends_as_python_would(self) -> None:
        """Whoever presses Ctrl-C twice means it."""
        with Interrupt(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
