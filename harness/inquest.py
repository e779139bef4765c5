"""One inquest: its stages, in their order; each is a function of the folder, the plan and the display.

A stage finds in the folder what the earlier ones left there, so that an interrupted inquest goes on where it was.
"""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import __version__, controls, judge
from harness.decide import (
    next_trial,
    study,
)
from harness.facts import journal, proven
from harness.launch import (
    doctor,
    environment_record,
    memory_limit,
)
from harness.launch.echo import Echo
from harness.launch.interrupt import Interrupt
from harness.launch.runner import Runner, now
from harness.model import Cell, ConfigError, Evidence, Trial
from harness.plan import cells as matrix
from harness.plan.plan_file import Plan
from harness.report.live_display import Display
from harness.report.write import write_all
from harness.shrink.bisect import bisect_stage as bisect
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


@dataclasses.dataclass(frozen=True)
class Inquest:
    """What a stage may use: the folder, the order with its plan, the display, and what runs trials in the folder."""

    root: Path
    order: Order
    display: Display
    interrupt: Interrupt
    runner: Runner


Stage = Callable[[Inquest], None]


def run(root: Path, order: Order, display: Display, interrupt: Interrupt) -> Evidence:
    """Run all stages in an inquest's folder, which exists; return the evidence, also where it was interrupted."""
    beside = Echo if order.echo else None
    runner = Runner(root, order.plan, display, interrupt, order.budget_seconds, beside)
    inquest = Inquest(root, order, display, interrupt, runner)
    with display:
        for name, stage in stages(order):
            _run_stage(inquest, name, stage)
        runner.note("interrupted" if interrupt.asked else "end", seconds=runner.elapsed_seconds)
        evidence = judge.evidence(root)
        display.stage("report")
        write_all(root, evidence)
    return evidence


def stages(order: Order) -> Iterator[tuple[str, Stage]]:
    """Yield the stages of an order, named as the journal has them; "" for what is no stage of its own."""
    yield "doctor", describe_machine
    if order.plan.controls and not order.once:
        yield "controls", prove_probes
    yield "", prepare_target
    yield "baseline", run_baseline
    if not order.once:
        yield from (("matrix", run_matrix), ("interventions", intervene), ("bisect", shrink))


def _run_stage(inquest: Inquest, name: str, stage: Stage) -> None:
    if inquest.interrupt.asked:
        return
    if not name:
        stage(inquest)
        return
    inquest.display.stage(name)
    before = time.monotonic()
    stage(inquest)
    inquest.runner.note("stage ended", stage=name, seconds=round(time.monotonic() - before, 3))


def describe_machine(inquest: Inquest) -> None:
    """Write the journal's first line: the order, the machine, and which evidence it can give."""
    root, order = inquest.root, inquest.order
    if records.read_lines(root / records.JOURNAL).rows:
        return  # resumed: the machine was described when the inquest began
    sources = [dataclasses.asdict(source) for source in doctor.examine()]
    inquest.runner.note(
        "begin",
        inquest={
            "id": root.name, "plan": order.plan.name, "command": order.command, "started": now(),
            "harness_version": __version__, "budget_seconds": order.budget_seconds,
        },
        environment={**environment_record.of_machine(), "sources": sources},
    )  # fmt: skip
    inquest.display.doctor(sources)


def prove_probes(inquest: Inquest) -> None:
    """See which probes fire on this machine; the result lies in the inquest's folder, for the judge."""
    root, out = inquest.root, inquest.root.parent
    if not (root / proven.NAME).exists():
        controls.quick(out, inquest.display.say, lambda: not inquest.interrupt.asked)
        if (out / proven.NAME).exists():
            shutil.copyfile(out / proven.NAME, root / proven.NAME)


def prepare_target(inquest: Inquest) -> None:
    """Run the target's own preparation where what it makes is not there; a ConfigError where that fails."""
    target = inquest.order.plan.target
    prepare = target.prepare
    if prepare is None or prepare.creates.exists():
        return
    inquest.display.say(f"making {prepare.creates}: {shlex.join(prepare.command)}")
    done = subprocess.run(
        [target.interpreter, *prepare.command], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0 or not prepare.creates.exists():
        words = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise ConfigError(f"target.prepare.command failed with exit code {done.returncode}: {' / '.join(words)}")


def run_baseline(inquest: Inquest) -> None:
    """Run the cell that the plan begins with, once."""
    _run_cells(inquest, [inquest.order.plan.baseline], 1)


def run_matrix(inquest: Inquest) -> None:
    """Run every cell as often as the plan says: first each once, then each again."""
    plan = inquest.order.plan
    _run_cells(inquest, matrix.with_baseline_first(matrix.cells(plan.factors), plan.baseline), plan.repeats)


def intervene(inquest: Inquest) -> None:
    """Repeat the failure, then change one thing at a time, until all is decided or the budget is spent."""
    runner, controls_ = inquest.runner, proven.load(inquest.root / proven.NAME)
    step = next_trial.next_step(runner.trials(), memory_limit.kind_here(), controls_)
    while step is not None and runner.may_begin():
        runner.run(step.cell, step.why, step.intervention, step.memory_limit_bytes, step.means)
        step = next_trial.next_step(runner.trials(), memory_limit.kind_here(), controls_)


def shrink(inquest: Inquest) -> None:
    """Shrink the failure: where it begins, where in the model it is, what it needs; and write its repro."""
    runner = inquest.runner

    def run_cell(cell: Cell, why: str) -> Trial | None:
        return runner.run(cell, why) if runner.may_begin() else None

    case = study.of(runner.trials())
    if case is not None:
        means = bisect.Means(
            inquest.root, inquest.order.plan, run_cell, runner.may_begin, runner.pulse, inquest.display.say
        )
        bisect.run(means, case, runner.trials())


def _run_cells(inquest: Inquest, cells: list[Cell], repeats: int) -> None:
    wanted = list(_missing(inquest.root, cells, repeats))
    for number, cell in enumerate(wanted, 1):
        if not inquest.runner.may_begin():
            return
        inquest.runner.run(cell, f"{number} of {len(wanted)}")


def _missing(root: Path, cells: list[Cell], repeats: int) -> Iterator[Cell]:
    """Yield the cells that still need a trial: first every cell once, then every cell again."""
    done = journal.trial_ids(root)
    for repeat in range(1, repeats + 1):
        for cell in cells:
            if sum(trial_id.startswith(f"{cell.id}/") for trial_id in done) < repeat:
                yield cell
