"""The probe that looks at a program which makes no progress, alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from probes import records
from probes.outside.machine import stack_tools
from probes.outside.probe import Watched
from probes.outside.progress.hang_looks import HangProbe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
WAITER = "import signal, threading; signal.alarm(60); lock = threading.Lock(); lock.acquire(); lock.acquire()"
Make = Callable[[], HangProbe]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return what makes a probe of a process that waits for ever."""
    for name in (records.STDOUT, records.STDERR):
        (tmp_path / name).write_text("")
    with ExitStack() as stack:

        def start() -> HangProbe:
            process = subprocess.Popen([sys.executable, "-c", WAITER])
            stack.callback(process.wait)
            stack.callback(process.send_signal, signal.SIGKILL)
            time.sleep(0.3)
            return HangProbe(Watched(process.pid, tmp_path, 0.02, time.perf_counter()))

        yield start


def rows(folder: Path, name: str) -> list[dict[str, object]]:
    """Return the lines of a record file."""
    return [row.value for row in records.read_lines(folder / name).rows]


@pytest.mark.parametrize("reason", ["steps", "memory", "wall time", "interrupted"])
def test_other_limits_are_not_its_business(make: Make, tmp_path: Path, reason: str) -> None:
    """Nothing is looked at, nothing is held up, nothing is written."""
    assert make().before_end(reason) is False
    assert sorted(path.name for path in tmp_path.iterdir()) == [records.STDERR, records.STDOUT]


def test_output_meanwhile_is_progress(make: Make, tmp_path: Path) -> None:
    """The trial is to go on; the next time the looks are numbered on."""
    probe = make()
    timer = threading.Timer(0.6, (tmp_path / records.STDOUT).write_text, ["a line\n"])
    timer.start()
    began = time.monotonic()
    assert probe.before_end("no progress") is True
    timer.join()
    assert time.monotonic() - began < 2.0
    assert probe.before_end("no progress") is False
    ends = [row for row in rows(tmp_path, records.HANG) if row["event"] == "looked"]
    assert [(row["verdict"], row["first"], row["last"]) for row in ends] == [("progress", 1, 1), ("no progress", 2, 4)]
    looks = {f"{kind}-{number}" for kind in ("hang", "tree") for number in (1, 2, 3, 4)}
    assert {path.name for path in (tmp_path / "native").iterdir()} == looks


def test_without_the_tool_the_kernel_is_asked(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No py-spy: each look says so, and still has the threads."""
    monkeypatch.setattr(stack_tools, "py_spy", lambda: None)
    monkeypatch.setattr(stack_tools, "gdb", lambda: None)
    assert make().before_end("no progress") is False
    assert all((tmp_path / "native" / f"hang-{number}" / "threads.txt").exists() for number in (1, 2, 3))
    assert not list(tmp_path.rglob("python_stacks.json"))
    gaps = rows(tmp_path, records.GAPS)
    assert {gap["probe"] for gap in gaps} == {"python stacks", "native stacks"}
    assert all("py-spy is not installed" in str(gap["reason"]) for gap in gaps)


def test_a_process_that_has_gone_is_missing_evidence(make: Make, tmp_path: Path) -> None:
    """It ends between two looks: no error, gaps that say so."""
    probe = make()
    subprocess.run(["kill", "-9", str(probe.watched.pid)])
    assert probe.before_end("no progress") is False
    assert rows(tmp_path, records.GAPS)
