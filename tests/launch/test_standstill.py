"""When a standstill is ended before its time, and which programs never are: real ones, of each kind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from observing import is_gone, observe, victim

from harness.facts.hang import closed, tree
from harness.launch import standstill
from probes import records
from probes.outside import Watched
from probes.outside.progress import tree_look

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
PTRACE_SEIZE = 0x4206
# what it does; the words for what may still end it
ALIVE = [
    ("sleep", "sleeps"),
    ("step", ""),
    ("download", " for socket:"),
    ("server", "waits in accept4 for socket:"),
    ("select", "sleeps"),
    ("handler", "handles signal 10"),
    ("fifo", "waits for /"),
    ("terminal", "waits for /dev/"),
    ("busy child", ""),
    ("sleeping child", "sleeps"),
    ("timed", "with a time limit"),
    ("pipe", "has open"),
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


def circle(stack: ExitStack, folder: Path, *words: object, traced: bool = False) -> closed.Circle:
    """Start a program, wait until it says that it is ready, and look at it twice."""
    reader, writer = os.pipe()
    stack.callback(os.close, reader)
    stack.callback(os.close, writer)
    command = [sys.executable, str(victim("alive")), *map(str, words), *([str(reader)] if words == ("pipe",) else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=(reader,), start_new_session=True)
    stack.callback(process.communicate)
    stack.callback(os.killpg, process.pid, signal.SIGKILL)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    time.sleep(0.4 if "child" in str(words) else 0.2)
    if traced:
        assert ctypes.CDLL(None).ptrace(PTRACE_SEIZE, process.pid, 0, 0) == 0
    watched = Watched(process.pid, folder, 0.02, time.perf_counter())
    tree_look.take(watched)
    time.sleep(0.4)
    tree_look.take(watched)
    first, second = (tree.read(folder, row) for row in tree.rows(folder))
    return closed.circle(first, second)


@pytest.mark.parametrize(("kind", "words"), ALIVE, ids=[row[0] for row in ALIVE])
def test_whatever_may_go_on_is_open(tmp_path: Path, kind: str, words: str) -> None:
    """A long step, a download, a server, a sleep, a child at work, a time limit, another program's pipe or signal."""
    with ExitStack() as stack:
        found = circle(stack, tmp_path, kind, *([tmp_path / "fifo"] if kind == "fifo" else []))
        assert not found.is_closed and words in found.open_by, found


def test_a_program_that_is_being_debugged_is_open(tmp_path: Path) -> None:
    """The same lock is closed where nobody traces the program, and open where a debugger does: it may change all."""
    with ExitStack() as stack:
        (tmp_path / "alone").mkdir()
        (tmp_path / "traced").mkdir()
        assert circle(stack, tmp_path / "alone", "lock").open_by == ""
    with ExitStack() as stack:
        assert "being traced" in circle(stack, tmp_path / "traced", "lock", traced=True).open_by


class TestTrial:
    """Whole trials, whose plan would wait for ten minutes."""

    @pytest.fixture(autouse=True)
    def sooner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Look after two seconds, twice a second apart."""
        for name, seconds in (("FIRST_SECONDS", 2.0), ("APART_SECONDS", 1.0), ("AGAIN_SECONDS", 1.0)):
            monkeypatch.setattr(standstill, name, seconds)

    def test_a_closed_one_is_ended_at_once(self, tmp_path: Path) -> None:
        """The main program has ended, a thread that is no daemon waits for ever: named, and where."""
        observed = observe(tmp_path, victim("hang_at_exit"), limits={"no_progress_seconds": 600})
        trial = observed.trial
        assert (trial.outcome, observed.exit["limit"]) == ("hung", "no progress")
        assert observed.exit["seconds"] < 25.0 and is_gone(observed.exit["pid"])
        assert (trial.value("hang_kind"), trial.value("hang_closed")["closed"]) == ("deadlock", True)
        assert 0.9 < trial.value("hang_closed")["seconds"] < 5.0
        assert str(trial.last_event) == "threading._shutdown, after the main program"
        stories = [fact.value for fact in trial.facts if fact.name == "hang_story"]
        assert stories == ["the main program has ended; the interpreter waits for thread uploader"]
        assert '"waits_for":["uploader"]' in observed.cited("hang_story")

    def test_a_sleeper_is_let_be(self, tmp_path: Path) -> None:
        """It is looked at, again and again, and ends well by itself."""
        observed = observe(tmp_path, victim("slow_printer"), "5", "1", limits={"no_progress_seconds": 600})
        assert (observed.trial.outcome, observed.exit["code"]) == ("completed", 0)
        assert len(observed.rows(records.STILL)) >= 2
        assert not (observed.folder / records.HANG).exists()
