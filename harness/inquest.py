"""One inquest: doctor, baseline, matrix, verdict, report. What to run next, and the journal that makes it resumable."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from harness import __version__, controls, judge
from harness.controls import store
from harness.decide import agenda, study
from harness.facts import reading as facts
from harness.launch import doctor, memory_limit, surroundings, trial
from harness.launch.echo import Echo
from harness.launch.interrupt import Interrupt
from harness.launch.stop_rules import Pulse
from harness.model import Cell, ConfigError, Evidence, Trial
from harness.plan import cells as matrix
from harness.plan.plan_file import Plan
from harness.report.live_display import Display
from harness.report.write import write_all
from harness.shrink.bisect import bisect_stage
from probes import records


@dataclasses.dataclass(frozen=True)
class Order:
    """What the user asked for. `once`: one trial of the baseline cell. `budget_seconds`: no trial begins after it.

    `echo`: the target's own output is passed through while it runs.
    """

    plan: Plan
    command: str
    once: bool = False
    budget_seconds: float | None = None
    echo: bool = False


class Inquest:
    """Runs an order in a folder of its own; everything that it learns is in that folder before it is used."""

    def __init__(self, root: Path, order: Order, display: Display, interrupt: Interrupt) -> None:
        """Take the inquest's folder, which exists."""
        self.root = root
        self.order = order
        self._display = display
        self._interrupt = interrupt
        self._journal = root / records.JOURNAL
        self._began = time.monotonic()
        self._known: dict[str, Trial] = {}
        self._told_spent = False

    def run(self) -> Evidence:
        """Run all stages; return the evidence, also of an interrupted inquest."""
        with self._display:
            self._stage("doctor", self._doctor)
            if self.order.plan.controls and not self.order.once:
                self._stage("controls", self._controls)
            self._prepare_target()
            self._stage("baseline", lambda: self._run_cells([self.order.plan.baseline], 1))
            if not self.order.once:
                self._stage("matrix", lambda: self._run_cells(self._cells(), self.order.plan.repeats))
                self._stage("interventions", self._intervene)
                self._stage("bisect", self._bisect)
            self._note("interrupted" if self._interrupt.asked else "end", seconds=self._elapsed())
            evidence = judge.evidence(self.root)
            self._display.stage("report")
            write_all(self.root, evidence)
        return evidence

    def _cells(self) -> list[Cell]:
        plan = self.order.plan
        return matrix.with_baseline_first(matrix.cells(plan.factors), plan.baseline)

    def _stage(self, name: str, work: Any) -> None:
        if self._interrupt.asked:
            return
        self._display.stage(name)
        before = time.monotonic()
        work()
        self._note("stage ended", stage=name, seconds=round(time.monotonic() - before, 3))

    def _doctor(self) -> None:
        if records.read_lines(self._journal).rows:
            return  # resumed: the machine was described when the inquest began
        sources = [dataclasses.asdict(source) for source in doctor.examine()]
        self._note(
            "begin",
            inquest={
                "id": self.root.name, "plan": self.order.plan.name, "command": self.order.command, "started": _now(),
                "harness_version": __version__, "budget_seconds": self.order.budget_seconds,
            },
            environment={**surroundings.of_machine(), "sources": sources},
        )  # fmt: skip
        self._display.doctor(sources)

    def _controls(self) -> None:
        """See which probes fire on this machine; the result lies in the inquest's folder, for the judge."""
        if not (self.root / store.NAME).exists():
            controls.quick(self.root.parent, self._display.say, lambda: not self._interrupt.asked)
            shared = self.root.parent / store.NAME
            if shared.exists():
                shutil.copyfile(shared, self.root / store.NAME)

    def _prepare_target(self) -> None:
        prepare = self.order.plan.target.prepare
        if prepare is None or prepare.creates.exists() or self._interrupt.asked:
            return
        self._display.say(f"making {prepare.creates}: {shlex.join(prepare.command)}")
        done = subprocess.run(
            [self.order.plan.target.interpreter, *prepare.command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0 or not prepare.creates.exists():
            words = (done.stderr or done.stdout).strip().splitlines()[-5:]
            raise ConfigError(f"target.prepare.command failed with exit code {done.returncode}: {' / '.join(words)}")

    def _run_cells(self, cells: list[Cell], repeats: int) -> None:
        wanted = list(self._missing(cells, repeats))
        for number, cell in enumerate(wanted, 1):
            if self._interrupt.asked or self._is_spent():
                return
            self._run_trial(cell, f"{number} of {len(wanted)}")

    def _missing(self, cells: list[Cell], repeats: int) -> Iterator[Cell]:
        """Yield the cells that still need a trial: first every cell once, then every cell again."""
        done = judge.trial_ids(self.root)
        for repeat in range(1, repeats + 1):
            for cell in cells:
                if sum(trial_id.startswith(f"{cell.id}/") for trial_id in done) < repeat:
                    yield cell

    def _intervene(self) -> None:
        """Repeat the failure, then change one thing at a time, until all is decided or the budget is spent."""
        step = agenda.next_step(self._trials(), memory_limit.kind_here())
        while step is not None and not self._interrupt.asked and not self._is_spent():
            self._run_trial(step.cell, step.why, step)
            step = agenda.next_step(self._trials(), memory_limit.kind_here())

    def _bisect(self) -> None:
        """Shrink the failure: where it begins, where in the model it is, what it needs; and write its repro."""
        case = study.of(self._trials())
        if case is not None:
            means = bisect_stage.Means(
                self.root, self.order.plan, self._run_cell, self._may_begin, self._pulse, self._display.say
            )
            bisect_stage.run(means, case, self._trials())

    def _run_cell(self, cell: Cell, why: str) -> Trial | None:
        """Run one more trial of a cell; None where none may begin, or it was interrupted."""
        if not self._may_begin():
            return None
        self._run_trial(cell, why)
        return None if self._interrupt.asked else self._read(judge.trial_ids(self.root)[-1])

    def _may_begin(self) -> bool:
        return not self._interrupt.asked and not self._is_spent()

    def _trials(self) -> tuple[Trial, ...]:
        return tuple(self._read(trial_id) for trial_id in judge.trial_ids(self.root))

    def _read(self, trial_id: str) -> Trial:
        """Read a trial that has ended: its records do not change any more."""
        if trial_id not in self._known:
            self._known[trial_id] = facts.read(self.root, trial_id)
        return self._known[trial_id]

    def _free_id(self, name: str) -> str:
        """Return the id of the next trial of that name, past the folders that an interruption left behind."""
        folder = self.root / "trials" / name
        taken = [int(path.name) for path in folder.iterdir() if path.name.isdigit()] if folder.exists() else []
        return f"{name}/{max(taken, default=0) + 1}"

    def _run_trial(self, cell: Cell, place: str, step: agenda.Step | None = None) -> None:
        intervention = step.intervention if step else None
        trial_id = self._free_id(f"{cell.id}+{intervention.id}" if intervention else cell.id)
        folder = self.root / "trials" / trial_id
        self._note("trial begins", trial=trial_id)
        self._display.trial_begins(trial_id, place)
        limit = (step.memory_limit_bytes, step.means) if step else (None, None)
        request = trial.Request(trial_id, folder, cell, self.order.plan, intervention, *limit)
        with Echo(folder) if self.order.echo else nullcontext():
            trial.run(request, self._pulse)
        if not self._interrupt.asked:
            self._note("trial ended", trial=trial_id)
            self._display.trial_ended(self._read(trial_id))

    def _pulse(self, pulse: Pulse) -> bool:
        self._display.pulse(pulse)
        return not self._interrupt.asked

    def _is_spent(self) -> bool:
        budget = self.order.budget_seconds
        spent = budget is not None and self._elapsed() > budget
        if spent and not self._told_spent:
            self._told_spent = True
            self._display.say(f"the budget of {budget:g} s is spent; no further trial begins")
        return spent

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def _note(self, event: str, **fields: Any) -> None:
        records.append(self._journal, {"event": event, "time": _now(), **fields})


def make_folder(out: Path, name: str) -> Path:
    """Make a new folder for an inquest under `out`, named after the plan and the time; never one that exists."""
    stem = f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 100)))
    root = next(out / candidate for candidate in names if not (out / candidate).exists())
    root.mkdir(parents=True)
    return root


def save_plan(root: Path, plan: Plan, once: bool, path: Path) -> None:
    """Write the plan as it was resolved into the inquest's folder, for the reader and for resuming."""
    text = yaml.safe_dump({"plan_file": str(path.resolve()), "once": once, "plan": dict(plan.source)}, sort_keys=False)
    (root / records.PLAN).write_text(text, encoding="utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
