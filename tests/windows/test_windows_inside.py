"""The inside probes in a Windows interpreter, with real targets; skipped elsewhere, as `test_windows_verbs.py` is."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from pathlib import Path

import pytest

from harness.launch.process import Child, Launch, Reaped
from probes import records
from probes.outside.progress.flight import LiveRing, read_ring

if sys.platform != "win32":
    pytest.skip("needs Windows", allow_module_level=True)

from harness.launch import windows

SECONDS = 30.0
BOOT = Path(__file__).parents[2] / "probes" / "inside" / "boot.py"
SPEC = {"inside_probes": True, "threads": None, "interop_threads": None, "plant": None}


@dataclasses.dataclass(frozen=True)
class Observed:
    """One observed target: how it ended, and its folder."""

    reaped: Reaped
    folder: Path

    def calls(self) -> list[str]:
        """Return the exits recorded, in order."""
        return [row.value["call"] for row in records.read_lines(self.folder / records.EXITS).rows]

    def text(self, name: str) -> str:
        """Return a record file's text."""
        return (self.folder / name).read_text(encoding="utf-8")

    def flight(self) -> list[str]:
        """Return the kinds of the flight records, oldest first."""
        ring = read_ring(self.folder / records.FLIGHT_RING, self.folder / records.FLIGHT_NAMES)
        return [record.kind for record in ring]


def start(folder: Path, code: str) -> Child:
    """Start a script under observation."""
    script = folder / "script.py"
    script.write_text("import faulthandler, os, sys, threading, time\n" + code, encoding="utf-8")
    (folder / records.SPEC).write_text(json.dumps({**SPEC, "folder": str(folder)}), encoding="utf-8")
    command = [sys.executable, str(BOOT), str(folder / records.SPEC), "--", str(script), "one", "two"]
    return windows.start(Launch(command, dict(os.environ), folder, folder / records.STDOUT, folder / records.STDERR))


def finish(child: Child) -> Reaped:
    """Wait for a child's own end, sweep and reap it."""
    deadline = time.monotonic() + SECONDS
    while not windows.has_ended(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    windows.sweep(child)
    return windows.reap(child)


def observe(folder: Path, code: str) -> Observed:
    """Run a script under observation to its end."""
    return Observed(finish(start(folder, code)), folder)


class TestEndings:
    """How a program ended, from the inside."""

    def test_the_end_of_main(self, tmp_path: Path) -> None:
        """A completed program leaves its end in the exits and in the ring; the target sees its own arguments."""
        observed = observe(tmp_path, "print(__name__, sys.argv[1:], sys.path[0] == os.path.dirname(__file__), end='')")
        assert observed.reaped.code == 0
        assert observed.text(records.STDOUT) == "__main__ ['one', 'two'] True"
        assert observed.calls() == ["end of main", "atexit"]
        assert observed.flight() == ["start", "end"]
        assert observed.text(records.FAULT_LOG) == ""

    @pytest.mark.parametrize(
        ("code", "exit_code", "calls"),
        [
            ("sys.exit(4)", 4, ["sys.exit", "atexit"]),
            ("os._exit(259)", 259, ["os._exit"]),
            ("raise OSError", 1, ["atexit"]),
        ],
    )
    def test_an_exit_by_python_is_recorded(self, tmp_path: Path, code: str, exit_code: int, calls: list[str]) -> None:
        """Each by its own name."""
        observed = observe(tmp_path, code)
        assert (observed.reaped.code, observed.calls()) == (exit_code, calls)

    def test_the_death_of_a_thread_is_recorded(self, tmp_path: Path) -> None:
        """The exit code is 0 all the same."""
        observed = observe(tmp_path, "thread = threading.Thread(target=lambda: 1 / 0)\nthread.start()\nthread.join()")
        rows = records.read_lines(tmp_path / records.PYTHON_ERROR).rows
        assert [(row.value["type"], row.value["is_main"]) for row in rows] == [("ZeroDivisionError", False)]
        assert observed.reaped.code == 0

    @pytest.mark.parametrize(
        ("code", "exit_code", "words", "calls"),
        [
            ("faulthandler._read_null()", 0xC0000005, "Windows fatal exception: access violation", []),
            ("os.abort()", 3, "Fatal Python error: Aborted", ["os.abort"]),
        ],
    )
    def test_a_crash_leaves_python_stacks_and_no_other_exit(
        self, tmp_path: Path, code: str, exit_code: int, words: str, calls: list[str]
    ) -> None:
        """The fault log names the line; stderr stays the target's own."""
        observed = observe(tmp_path, code)
        assert observed.reaped.code == exit_code
        assert words in observed.text(records.FAULT_LOG)
        assert "script.py" in observed.text(records.FAULT_LOG)
        assert observed.text(records.STDERR) == ""
        assert observed.calls() == calls
        assert observed.flight() == ["start"]


class TestRing:
    """The flight ring, mapped by two processes at once."""

    def test_it_can_be_read_while_the_child_lives_and_after_its_kill(self, tmp_path: Path) -> None:
        """Its clock is the supervisor's, and what was written survives."""
        before = time.perf_counter()
        child = start(tmp_path, "time.sleep(600)")
        ring = LiveRing(tmp_path / records.FLIGHT_RING)
        while ring.newest() is None and time.perf_counter() < before + SECONDS:
            time.sleep(0.01)
        newest = ring.newest() or {}
        assert before < newest["t"] < time.perf_counter()
        assert newest["kind"] == "start"
        windows.end(child)
        observed = Observed(finish(child), tmp_path)
        assert observed.flight() == ["start"]


class TestSpawnedWorkers:
    """Workers of multiprocessing, which begin as fresh interpreters here."""

    def test_they_find_the_targets_main_module(self, tmp_path: Path) -> None:
        """As they would without us, and they write no records of their own."""
        (tmp_path / "work.py").write_text("def square(number):\n    return number * number\n", encoding="utf-8")
        observed = observe(
            tmp_path,
            "import multiprocessing, work\n"
            "if __name__ == '__main__':\n"
            "    with multiprocessing.Pool(2) as pool:\n"
            "        print(pool.map(work.square, range(4)), end='')\n",
        )
        assert observed.text(records.STDOUT) == "[0, 1, 4, 9]"
        assert observed.calls() == ["end of main", "atexit"]
