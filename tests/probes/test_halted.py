"""What is read of a process that something holds still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from observing import wait_for

from harness.facts.hang.halted import words
from probes.outside.ends import halted


class TestGroups:
    """Control groups of both versions."""

    @pytest.mark.parametrize(("state", "expected"), [("FROZEN", "/job"), ("FREEZING", "/job"), ("THAWED", None)])
    def test_of_version_1(self, tmp_path: Path, state: str, expected: str | None) -> None:
        """freezer.state; a group whose parent is frozen says so too."""
        (tmp_path / "freezer" / "job").mkdir(parents=True)
        (tmp_path / "freezer" / "job" / "freezer.state").write_text(state + "\n")
        assert halted.frozen_group("3:cpu:/\n5:freezer:/job\n0::/\n", tmp_path) == expected

    @pytest.mark.parametrize(("frozen", "expected"), [(1, "/user/job"), (0, None)])
    def test_of_version_2(self, tmp_path: Path, frozen: int, expected: str | None) -> None:
        """cgroup.events."""
        (tmp_path / "user" / "job").mkdir(parents=True)
        (tmp_path / "user" / "job" / "cgroup.events").write_text(f"populated 1\nfrozen {frozen}\n")
        assert halted.frozen_group("0::/user/job\n", tmp_path) == expected

    def test_of_nobody(self, tmp_path: Path) -> None:
        """A process that has gone has no groups."""
        assert halted.frozen_group("", tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
class TestProcess:
    """A real one."""

    def test_stopped_and_let_go(self) -> None:
        """Its state says so; then nothing holds it."""
        with ExitStack() as stack:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            stack.callback(child.wait)
            stack.callback(child.kill)
            os.kill(child.pid, signal.SIGSTOP)
            wait_for(lambda: halted.read(child.pid))
            row = halted.read(child.pid) or {}
            assert (row["pid"], row["kind"], row["tracer"]) == (child.pid, "stopped", None)
            assert "was stopped by a signal, and nobody has let it go on; state T (stopped)" in words(row)
            os.kill(child.pid, signal.SIGCONT)
            wait_for(lambda: halted.read(child.pid) is None)

    def test_gone(self) -> None:
        """There is nothing to read."""
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        assert halted.read(child.pid) is None
