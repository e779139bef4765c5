"""What every outside probe is: made for one trial, asked for samples at its own pace, closed at the end."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from probes.outside import helper_room

TOOL_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class Watched:
    """The process under observation: its id (it stays readable until it is reaped), the trial's folder, the pace.

    `interval_seconds` is the pace of the fastest probe; `started` is the system-wide monotonic clock at the launch.
    """

    pid: int
    folder: Path
    interval_seconds: float
    started: float


class Probe:
    """Base of the outside probes. A subclass writes one record file and never raises because a process has gone."""

    name = "probe"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        self.watched = watched
        self.interval_seconds = 1.0
        self.due = 0.0

    @classmethod
    def missing(cls) -> str | None:
        """Return why this probe cannot work on this machine, or None where it can."""
        return None

    @classmethod
    def prepare(cls) -> None:
        """Get ready right before a launch, in the thread that launches, for what must be seen from the beginning."""

    def sample(self, now: float) -> None:
        """Take one sample; called about every `interval_seconds` while the process lives."""

    def before_end(self, reason: str) -> bool:
        """Take what can only be had now: the harness is about to end the trial at the limit `reason`.

        Return True to have it go on instead: the limit turns out not to be reached.
        """
        return False

    def close(self) -> None:
        """Take what can only be had at the end (the process is dead, and not yet reaped), and close the record."""


@dataclasses.dataclass(frozen=True)
class ToolResult:
    """What an external tool printed; `code` is None where it is not installed or was ended at its time limit."""

    code: int | None
    stdout: str
    stderr: str


def run_tool(
    command: list[str], seconds: float = TOOL_SECONDS, directory: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> ToolResult:  # fmt: skip
    """Run an external tool, bounded in time; never raises: a tool that fails is evidence missing, not an error.

    `directory` and `variables` are its working directory and whole environment; None: as they are here.
    """
    if shutil.which(command[0]) is None:
        return ToolResult(None, "", f"{command[0]} is not installed")
    crowded = helper_room.missing()
    if crowded is not None:
        return ToolResult(None, "", crowded)
    with ExitStack() as stack:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=directory,
            env=variables,
        )
        timer = threading.Timer(seconds, process.kill)
        stack.callback(timer.cancel)
        timer.start()
        stdout, stderr = process.communicate()
    if process.returncode < 0:
        return ToolResult(None, stdout, f"{command[0]} was ended after {seconds:g} s. {stderr}")
    return ToolResult(process.returncode, stdout, stderr)
