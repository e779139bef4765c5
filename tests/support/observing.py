"""Runs real programs through the real pipeline, in this process or through the command line."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from harness.facts import reading as facts
from harness.launch import trial
from harness.model import Trial
from harness.plan import plan_file as plan
from probes import records
from probes.outside.progress.flight import FlightRecord, read_ring

ROOT = Path(__file__).resolve().parents[2]
VICTIMS = ROOT / "tests" / "victims"
SECONDS = 60.0  # no program here runs longer, whatever happens


@dataclasses.dataclass(frozen=True)
class Observed:
    """One trial that has ended: what was read of it, and its records."""

    root: Path
    trial: Trial

    @property
    def folder(self) -> Path:
        """The trial's folder."""
        return self.root / "trials" / self.trial.id

    @property
    def exit(self) -> dict[str, Any]:
        """exit.json."""
        return records.read_json(self.folder / records.EXIT) or {}

    def raw(self, name: str) -> bytes:
        """A record file's bytes."""
        return (self.folder / name).read_bytes()

    def text(self, name: str) -> str:
        """A record file's text."""
        return self.raw(name).decode()

    def rows(self, name: str) -> list[dict[str, Any]]:
        """A record file's whole lines."""
        return [row.value for row in records.read_lines(self.folder / name).rows]

    def flight(self) -> list[FlightRecord]:
        """The flight ring's records."""
        return read_ring(self.folder / records.FLIGHT_RING, self.folder / records.FLIGHT_NAMES)

    def calls(self) -> list[str]:
        """The recorded exits, in order."""
        return [row["call"] for row in self.rows(records.EXITS)]

    def cited(self, name: str) -> str:
        """The line of the record that the named fact's first source points at."""
        fact = self.trial.fact(name)
        assert fact is not None, f"no fact {name}"
        source = fact.sources[0]
        return (self.root / source.file).read_text(encoding="utf-8", errors="replace").splitlines()[source.line - 1]


def victim(name: str) -> Path:
    """Return the path of one of the programs that die."""
    return VICTIMS / f"{name}.py"


def observe(root: Path, *command: object, limits: Mapping[str, float] | None = None, **keys: Any) -> Observed:
    """Run one trial of a command in this process; `keys` are further keys of the plan."""
    raw = {
        "target": {"command": [str(word) for word in command]},
        "limits": {"wall_seconds": SECONDS, **(limits or {})}, **keys,
    }  # fmt: skip
    read = plan.parse(raw, root / "plan.yaml")
    trial_id = f"{read.baseline.id}/1"
    trial.run(trial.Request(trial_id, root / "trials" / trial_id, read.baseline, read), lambda pulse: True)
    return Observed(root, facts.read(root, trial_id))


def environment() -> dict[str, str]:
    """Return the environment in which `python -m harness` finds the checkout from anywhere."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}


def harness(directory: Path, *arguments: object, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
    """Run `python -m harness ARGUMENTS` in a directory; too long a run is asked to end by SIGTERM, and fails."""
    command = [sys.executable, "-m", "harness", *(str(word) for word in arguments)]
    with ExitStack() as stack:
        process = subprocess.Popen(
            command, cwd=directory, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        stack.callback(process.kill)  # of a process that was waited for, this does nothing
        timer = threading.Timer(seconds, process.terminate)
        stack.callback(timer.cancel)
        timer.start()
        stdout, stderr = process.communicate(timeout=seconds + 20)
        assert timer.is_alive(), f"not within {seconds:g} s: {command}\n{stdout}{stderr}"
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until a condition holds; fail where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether no process of that id is left, not even unreaped."""
    return not psutil.pid_exists(pid)


def python_children() -> set[int]:
    """Return the ids of this process' children, the unreaped included."""
    return {process.pid for process in psutil.process_iter(["ppid"]) if process.info["ppid"] == os.getpid()}


def source_line(path: Path, words: str) -> int:
    """Return the number of the first line of a file that holds the words."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)
