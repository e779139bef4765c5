"""A process that SIGKILL does not end, one that something holds still, and what a leader that dies slowly leaves."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from observing import is_gone, observe, python_children, victim, wait_for

from harness.decide.hypotheses import hang
from harness.decide.hypotheses.case import Case
from probes import records

FREEZER = Path("/sys/fs/cgroup/freezer")


@pytest.fixture
def group() -> Iterator[Path]:
    """A freezer group of our own; thawed, emptied and removed afterwards."""
    if not (FREEZER.is_dir() and os.access(FREEZER, os.W_OK)):
        pytest.skip("no freezer group can be made here")
    folder = FREEZER / f"inquest-test-{os.getpid()}"
    folder.mkdir()
    yield folder
    (folder / "freezer.state").write_text("THAWED")
    wait_for(lambda: not (folder / "cgroup.procs").read_text().split())
    folder.rmdir()


class TestFrozen:
    """A target in a frozen control group does not die of SIGKILL."""

    def test_there_is_a_report_and_nobody_waits(self, tmp_path: Path, group: Path) -> None:
        """After ten seconds the trial ends as hung, names the process and what holds it, and lets it be."""
        began = time.monotonic()
        seen = observe(tmp_path, victim("halted"), "frozen", group, limits={"no_progress_seconds": 1.0})
        assert time.monotonic() - began < 30.0
        pid = seen.exit["pid"]
        assert (seen.trial.outcome, seen.exit["limit"], seen.exit["limit_asked"]) == (
            "hung", "cannot be killed", "no progress",
        )  # fmt: skip
        assert (seen.exit["code"], seen.exit["signal"], seen.exit["ended_by"]) == (None, None, "harness")
        assert seen.trial.exit.meaning.startswith(f"hung: cannot be killed: process {pid} ")
        assert f"/{group.name}" in seen.trial.exit.meaning
        told = seen.trial.value("halted")
        assert (told["pid"], told["kind"], told["state"][0]) == (pid, "frozen", "D")
        assert told["wchan"] or not os.path.exists(f"/proc/{pid}/wchan")
        finding = hang.judge(Case((seen.trial,), {}))
        assert (finding.status, finding.gaps) == ("established", ())
        assert any("frozen control group" in reason.text for reason in finding.reasons)
        assert not is_gone(pid)
        (group / "freezer.state").write_text("THAWED")  # only now can the kill be heard
        assert os.waitpid(pid, 0)[0] == pid


class TestFrozenDescendant:
    """The program ends well, and one that it has left behind cannot be ended."""

    def test_is_named_and_not_waited_for(self, tmp_path: Path, group: Path) -> None:
        """The trial is complete; the process is told beside it, with what holds it."""
        seen = observe(tmp_path, victim("halted"), "frozen_child", group)
        child = int(seen.text(records.STDOUT).splitlines()[1])
        assert (seen.trial.outcome, seen.exit["code"], seen.exit["not_ended"]) == ("completed", 0, [child])
        assert (seen.trial.value("halted")["pid"], seen.trial.value("not_ended")) == (child, [child])
        (group / "freezer.state").write_text("THAWED")
        assert os.waitpid(child, 0)[0] == child


class TestStopped:
    """A stop signal holds a process still; SIGKILL ends it all the same."""

    def test_is_a_standstill_of_its_own(self, tmp_path: Path) -> None:
        """The state is told, and nobody looks for a lock or a slow device."""
        seen = observe(tmp_path, victim("halted"), "stopped", limits={"no_progress_seconds": 1.0})
        assert (seen.trial.outcome, seen.exit["signal"], seen.exit["limit"]) == ("hung", "SIGKILL", "no progress")
        told = seen.trial.value("halted")
        assert (told["pid"], told["kind"], told["state"]) == (seen.exit["pid"], "stopped", "T (stopped)")
        assert f'"pid":{told["pid"]}' in seen.cited("halted")
        finding = hang.judge(Case((seen.trial,), {}))
        assert (finding.status, finding.gaps) == ("established", ())
        assert any("was stopped by a signal" in reason.text for reason in finding.reasons)


class TestSlowLeader:
    """A leader of 600 MB needs a moment to die; only then are its children ours."""

    def test_its_descendant_in_another_session_is_swept(self, tmp_path: Path) -> None:
        """It is found, named and gone."""
        before = python_children()
        seen = observe(tmp_path, victim("late_leader"), tmp_path / "pid", limits={"no_progress_seconds": 1.5})
        descendant = int((tmp_path / "pid").read_text())
        assert seen.exit["left_behind"] == [descendant]
        assert is_gone(descendant) and is_gone(seen.exit["pid"])
        assert python_children() == before
        assert not (seen.folder / records.HALTED).exists()
