"""One control as a little inquest in a folder of its own: baseline, then what the agenda asks for.

`python -m harness.controls.run ID FOLDER quick|full` is one worker; its result is in FOLDER/result.json.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from harness import __version__, judge
from harness.controls import catalogue, score
from harness.controls.catalogue import PROGRAMS, Planted
from harness.controls.store import RESULT
from harness.decide import (
    next_trial,
)
from harness.decide.offers import Step
from harness.facts import proven
from harness.launch import (
    environment_record,
    memory_limit,
)
from harness.launch.inquest_folder import save_plan
from harness.launch.interrupt import Interrupt
from harness.launch.runner import Runner, now
from harness.launch.stop_rules import Pulse
from harness.model import Trial
from harness.plan import plan_file as plan
from probes import records

KILLER = PROGRAMS / "killer.py"
MOST_TRIALS = 40
MOST_SECONDS = 90.0  # on a machine that does much else, too; left alone, each needs less than half of it
WALL_SECONDS = 40.0  # of one trial; no program here wants so much


def raw_plan(planted: Planted) -> dict[str, Any]:
    """Return the control's plan as a plan file would have it."""
    limits = {"wall_seconds": WALL_SECONDS}
    if planted.still_seconds is not None:
        limits["no_progress_seconds"] = planted.still_seconds
    factors = {"threads": [1, planted.threads]} if planted.threads else {}
    command = [str(PROGRAMS / f"{planted.program}.py"), *planted.arguments]
    return {"name": planted.id, "target": {"command": command}, "factors": factors, "limits": limits}


class Silent:
    """An onlooker that shows nothing: a worker's output is a log."""

    def say(self, text: str) -> None:
        """Keep it."""

    def trial_begins(self, trial_id: str, place: str) -> None:
        """Keep it."""

    def pulse(self, pulse: Pulse) -> None:
        """Keep it."""

    def trial_ended(self, trial: Trial) -> None:
        """Keep it."""


class Little:
    """The little inquest of one control."""

    def __init__(self, planted: Planted, root: Path, quick: bool, interrupt: Interrupt) -> None:
        """Make its folder, its plan and its journal."""
        self._planted, self._root, self._quick, self._interrupt = planted, root, quick, interrupt
        self._plan = plan.parse(raw_plan(planted), root / records.PLAN)
        root.mkdir(parents=True, exist_ok=True)
        save_plan(root, self._plan, quick, root / records.PLAN)
        self._runner = Runner(root, self._plan, Silent(), interrupt, beside=self._killed_by)
        begin = {"id": root.name, "plan": planted.id, "command": f"harness controls --only {planted.id}"}
        begin |= {"started": now(), "harness_version": __version__}
        self._runner.note("begin", inquest=begin, environment=environment_record.of_machine())

    def run(self) -> dict[str, Any]:
        """Run all trials, judge them, and return the result's row."""
        step: Step | None = Step(self._plan.baseline, "baseline")
        while step is not None and not self._interrupt.asked:
            self._runner.run(step.cell, step.why, step.intervention, self._limit(step), step.means)
            step = None if self._is_enough() else self._next()
        seconds = self._runner.elapsed_seconds
        self._runner.note("interrupted" if self._interrupt.asked else "end", seconds=seconds)
        found = score.of(self._planted, judge.evidence(self._root))
        return dataclasses.asdict(dataclasses.replace(found, seconds=seconds, trials=len(self._runner.trials())))

    def _next(self) -> Step | None:
        """A fault that strikes only sometimes is waited for, as a plan's `repeats` do."""
        trials = self._runner.trials()
        failed = any(one.outcome.is_failure for one in trials)
        if not failed and len(trials) < self._planted.tries:
            return Step(self._plan.baseline, "baseline, again")
        return next_trial.next_step(trials, memory_limit.kind_here(), proven.load(self._root / proven.NAME))

    def _is_enough(self) -> bool:
        most = self._planted.quick_trials if self._quick else MOST_TRIALS
        return len(self._runner.trials()) >= most or self._runner.elapsed_seconds > MOST_SECONDS

    def _limit(self, step: Step) -> int | None:
        """A rung's limit cannot lift the one that the fault is planted with."""
        limits = [limit for limit in (step.memory_limit_bytes, self._planted.memory_bytes) if limit is not None]
        return min(limits, default=None)

    def _killed_by(self, folder: Path) -> ExitStack:
        """Start the process outside that kills the trial's child, where the fault is one; ended with the trial."""
        stack = ExitStack()
        if self._planted.killer:
            killer = _start_killer(folder / "pid", self._planted.killer)
            stack.callback(killer.wait)
            stack.callback(killer.kill)
        return stack


def _start_killer(pid_file: Path, signal_name: str) -> subprocess.Popen[bytes]:
    """Start the process outside: it is no descendant of the target, and its session is its own."""
    command = [sys.executable, str(KILLER), str(pid_file), signal_name]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def main(arguments: list[str]) -> int:
    """Be a worker."""
    identity, folder, mode = arguments
    planted = catalogue.by_id(identity)
    assert planted is not None, f"there is no control {identity}"
    with Interrupt() as interrupt:
        row = Little(planted, Path(folder), mode == "quick", interrupt).run()
        if not interrupt.asked:
            records.write_json(Path(folder) / RESULT, row)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
