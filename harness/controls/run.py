"""One control as a little inquest in a folder of its own: baseline, then what the agenda asks for.

`python -m harness.controls.run ID FOLDER quick|full` is one worker; its result is in FOLDER/result.json.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import __version__, inquest, judge
from harness.controls import catalogue, score
from harness.controls.catalogue import PROGRAMS, Planted
from harness.controls.store import RESULT
from harness.decide import agenda
from harness.decide.agenda import Step
from harness.facts import reading as facts
from harness.launch import memory_limit, surroundings, trial
from harness.launch.interrupt import Interrupt
from harness.model import Trial
from harness.plan import plan_file as plan
from probes import records

KILLER = PROGRAMS / "killer.py"
MOST_TRIALS = 40
MOST_SECONDS = 45.0
WALL_SECONDS = 40.0  # of one trial; no program here wants so much


def raw_plan(planted: Planted) -> dict[str, Any]:
    """Return the control's plan as a plan file would have it."""
    limits = {"wall_seconds": WALL_SECONDS}
    if planted.still_seconds is not None:
        limits["no_progress_seconds"] = planted.still_seconds
    factors = {"threads": [1, planted.threads]} if planted.threads else {}
    command = [str(PROGRAMS / f"{planted.program}.py"), *planted.arguments]
    return {"name": planted.id, "target": {"command": command}, "factors": factors, "limits": limits}


class Little:
    """The little inquest of one control."""

    def __init__(self, planted: Planted, root: Path, quick: bool, interrupt: Interrupt) -> None:
        """Make its folder, its plan and its journal."""
        self._planted, self._root, self._quick, self._interrupt = planted, root, quick, interrupt
        self._plan = plan.parse(raw_plan(planted), root / records.PLAN)
        self._trials: list[Trial] = []
        self._began = time.monotonic()
        root.mkdir(parents=True, exist_ok=True)
        inquest.save_plan(root, self._plan, quick, root / records.PLAN)
        begin = {"id": root.name, "plan": planted.id, "command": f"harness controls --only {planted.id}"}
        begin |= {"started": _now(), "harness_version": __version__}
        self._note("begin", inquest=begin, environment=surroundings.of_machine())

    def run(self) -> dict[str, Any]:
        """Run all trials, judge them, and return the result's row."""
        step: Step | None = Step(self._plan.baseline, "baseline")
        while step is not None and not self._interrupt.asked:
            self._try(step)
            step = None if self._is_enough() else self._next()
        seconds = round(time.monotonic() - self._began, 3)
        self._note("interrupted" if self._interrupt.asked else "end", seconds=seconds)
        found = score.of(self._planted, judge.evidence(self._root))
        return dataclasses.asdict(dataclasses.replace(found, seconds=seconds, trials=len(self._trials)))

    def _next(self) -> Step | None:
        """A fault that strikes only sometimes is waited for, as a plan's `repeats` do."""
        failed = any(one.outcome.is_failure for one in self._trials)
        if not failed and len(self._trials) < self._planted.tries:
            return Step(self._plan.baseline, "baseline, again")
        return agenda.next_step(tuple(self._trials), memory_limit.kind_here())

    def _is_enough(self) -> bool:
        most = self._planted.quick_trials if self._quick else MOST_TRIALS
        return len(self._trials) >= most or time.monotonic() - self._began > MOST_SECONDS

    def _try(self, step: Step) -> None:
        name = f"{step.cell.id}+{step.intervention.id}" if step.intervention else step.cell.id
        taken = sum(done.id.rpartition("/")[0] == name for done in self._trials)
        trial_id = f"{name}/{taken + 1}"
        folder = self._root / "trials" / trial_id
        limit = (self._limit(step), step.means)
        request = trial.Request(trial_id, folder, step.cell, self._plan, step.intervention, *limit)
        with ExitStack() as stack:
            if self._planted.killer:
                killer = _start_killer(folder / "pid", self._planted.killer)
                stack.callback(killer.wait)
                stack.callback(killer.kill)
            trial.run(request, lambda _: not self._interrupt.asked)
        if not self._interrupt.asked:
            self._note("trial ended", trial=trial_id)
            self._trials.append(facts.read(self._root, trial_id))

    def _limit(self, step: Step) -> int | None:
        """A rung's limit cannot lift the one that the fault is planted with."""
        limits = [limit for limit in (step.memory_limit_bytes, self._planted.memory_bytes) if limit is not None]
        return min(limits, default=None)

    def _note(self, event: str, **fields: Any) -> None:
        records.append(self._root / records.JOURNAL, {"event": event, "time": _now(), **fields})


def _start_killer(pid_file: Path, signal_name: str) -> subprocess.Popen[bytes]:
    """Start the process outside: it is no descendant of the target, and its session is its own."""
    command = [sys.executable, str(KILLER), str(pid_file), signal_name]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


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
