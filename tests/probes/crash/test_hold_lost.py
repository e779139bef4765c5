"""No death is lost, and no held process outlives its supervisor."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from observing import ROOT, is_gone, observe, python_children, victim, wait_for

from probes import records
from probes.outside.crash.fault_page import HELD, FaultPage, is_whole

DEATHS = int(os.environ.get("INQUEST_DEATHS", "24"))  # 200 take a minute
KINDS = {"segv": "SIGSEGV", "abort": "SIGABRT", "bus": "SIGBUS", "ill": "SIGILL"}
SUPERVISOR = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {tests!r}]
from observing import observe, victim
observe(Path({folder!r}), victim("hold_crash"), *{words!r})
"""


class Striker(threading.Thread):
    """Sends every new child of this process a signal after a random moment, before or after its boot has finished."""

    def __init__(self, known: set[int]) -> None:
        super().__init__(daemon=True)
        self._known = known
        self.struck = 0

    def run(self) -> None:
        """Look for a child that was not there before, and strike it."""
        while not self.struck:
            new = [process for process in psutil.process_iter(["ppid", "cmdline"]) if self._is_new(process)]
            for process in new:
                time.sleep(random.uniform(0, 0.06))
                os.kill(process.pid, signal.SIGSEGV)
                self.struck = process.pid
            time.sleep(0.002)

    def _is_new(self, process: psutil.Process) -> bool:
        # a tool that is being started has our own name and words until its execve
        booted = any(word.endswith("boot.py") for word in process.info["cmdline"] or ())
        return booted and process.info["ppid"] == os.getpid() and process.pid not in self._known


class TestNoDeathIsLost:
    """Instant deaths, one after the other."""

    def test_instant_crashes(self, tmp_path: Path) -> None:
        """Each has its true signal and, held or not, nothing is left of it."""
        names = list(KINDS)
        before = python_children()
        for number in range(DEATHS):
            name = names[number % len(names)]
            seen = observe(tmp_path / str(number), victim("hold_crash"), name)
            assert (seen.exit["signal"], seen.exit["ended_by"]) == (KINDS[name], "itself"), seen.folder
            assert is_gone(seen.exit["pid"])
        assert python_children() == before

    def test_struck_at_any_moment_of_the_start(self, tmp_path: Path) -> None:
        """A signal before, during and after the boot: the record is right each time."""
        observe(tmp_path / "first", victim("instant"))  # asks the interpreter, which is a child too, once for all
        for number in range(DEATHS // 2):
            striker = Striker(python_children())
            striker.start()
            seen = observe(tmp_path / str(number), victim("endless_loop"), limits={"wall_seconds": 20})
            assert (seen.exit["signal"], seen.exit["limit"]) == ("SIGSEGV", None), seen.folder
            assert seen.exit["pid"] == striker.struck and is_gone(striker.struck)
            held = (seen.folder / "native" / "main" / records.FAULT).exists()
            assert held or any(row["probe"] == "hold" for row in seen.rows(records.GAPS))


@pytest.mark.skipif(sys.platform != "linux", reason="a crash is held on Linux only")
class TestSupervisorKilled:
    """kill -9 of the supervisor in the middle of a hold."""

    @pytest.mark.parametrize("words", [("segv",), ("segv_thread",), ("forked",)])
    def test_nothing_is_left_within_two_seconds(self, tmp_path: Path, words: tuple[str, ...]) -> None:
        """The held process, and a held descendant, go with their supervisor."""
        code = SUPERVISOR.format(
            root=str(ROOT), tests=str(ROOT / "tests" / "support"), folder=str(tmp_path), words=words
        )
        supervisor = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
        wait_for(_is_held(tmp_path))
        left = psutil.Process(supervisor.pid).children(recursive=True)
        supervisor.kill()
        supervisor.wait()
        assert left
        wait_for(lambda: not any(_is_alive(process.pid) for process in left), seconds=2.0)


def _is_held(root: Path) -> Callable[[], bool]:
    def held() -> bool:
        pages = [path for path in root.rglob(records.FAULT_PAGE) if is_whole(path)]
        slots = [FaultPage(path).first for path in pages]
        return any(slot is not None and slot.state == HELD for slot in slots)

    return held


def _is_alive(pid: int) -> bool:
    rows = {process.pid: process.info["status"] for process in psutil.process_iter(["status"])}
    return rows.get(pid, "gone") not in ("gone", psutil.STATUS_ZOMBIE)
