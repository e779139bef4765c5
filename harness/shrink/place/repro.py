"""Writes `repro/`: the smallest form that still dies, run five times, with its rate in it.

Smallest first: one operator, several of the module's, all of them, the plan's planted fault under the operator that met
it; else the target's own command in its dying cell. Only the last is no script of its own, and says so.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import platform
import shlex
import shutil
from pathlib import Path
from typing import Any

import yaml

from harness.decide.statistics import Count
from harness.decide.study import Study
from harness.facts.folder import TrialFolder
from harness.model import Cell, Outcome, Source, Trial
from harness.plan.plan_file import Plan
from harness.shrink.place import likeness, script
from harness.shrink.place.conclusion import Found, Place, describe, run_as_json
from harness.shrink.place.likeness import Death, Likeness
from harness.shrink.place.narrow import Stretch
from harness.shrink.place.replays import End, Ended, Subject, ended, save
from harness.shrink.place.sub_trials import Bench, replaying
from probes import records

FOLDER = "repro"
RECORD, SCRIPT, COMMAND, CONFIG = "repro.json", "repro.py", "command.txt", "config.yaml"
RUNS = 5


class Form(enum.StrEnum):
    """What the repro is: see this module's head. `command` is the only one that is no script of its own."""

    OPERATOR = "operator"
    OPERATORS = "operators"
    MODULE = "module"
    PLANTED = "planted"
    COMMAND = "command"


@dataclasses.dataclass(frozen=True)
class Repro:
    """The repro of an inquest. `death` is the one that is followed; `finished`: all of the runs were made."""

    form: Form
    statement: str
    runs: tuple[Ended, ...]
    death: Death | None
    finished: bool = True
    lines: int | None = None
    stand_ins: tuple[str, ...] = ()

    @property
    def rate(self) -> Count:
        """How often it died the same way."""
        return Count(sum(run.end is End.SAME for run in self.runs), len(self.runs))

    @property
    def is_standalone(self) -> bool:
        """Whether it is a script that needs torch alone."""
        return self.form is not Form.COMMAND


def make(root: Path, plan: Plan, study: Study, place: Place, subject: Subject | None, bench: Bench) -> Repro:
    """Write the repro of a place into `root / "repro"`, run it, and return it."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    made = _scripted(folder, plan, study.cell, place, subject, bench)
    if made is None or (made.finished and not made.rate.failures):
        made = _command(root, study, made)
        (folder / SCRIPT).unlink(missing_ok=True)
    _write_config(folder, plan, study.cell)
    (folder / COMMAND).write_text(_command_line(folder, made, subject) + "\n", encoding="utf-8")
    records.write_json(folder / RECORD, as_json(made))
    return made


def _scripted(
    folder: Path, plan: Plan, cell: Cell, place: Place, subject: Subject | None, bench: Bench
) -> Repro | None:
    """Write the script, run it and write its rate into it; None where there is nothing that a script could run."""
    chosen = _chosen(plan, place, subject)
    if chosen is None or subject is None:
        return None
    form, stretch = chosen
    written = script.write(subject.capture, stretch, planted=form is Form.PLANTED)
    for file in written.values:
        (folder / file).parent.mkdir(exist_ok=True)
        shutil.copyfile(bench.folder / "trials" / str(place.capture_trial) / file, folder / file)
    runs = run(bench, FOLDER, cell, replaying(plan, save(written, folder, SCRIPT)), subject.death)
    what = f"{describe(subject.capture, stretch)}, alone"
    what += ", on the plan's planted fault" if form is Form.PLANTED else ""
    made = Repro(form, what, runs, subject.death, len(runs) == RUNS, written.lines, written.stand_ins)
    save(written.rated(spoken_rate(made, str(subject.capture.begin["torch"]))), folder, SCRIPT)
    return made


def _chosen(plan: Plan, place: Place, subject: Subject | None) -> tuple[Form, Stretch] | None:
    if place.stretch is not None:
        return Form(place.found), place.stretch
    last = subject.capture.open_operator if subject else None
    if plan.plant and place.found is Found.CONTEXT and place.reads_foreign and last:
        return Form.PLANTED, Stretch(last.number, last.number)
    return None


def run(bench: Bench, name: str, cell: Cell, plan: Plan, death: Death | None) -> tuple[Ended, ...]:
    """Run a repro so often as is asked for, or as long as trials may begin; return its runs."""
    rows = []
    for number in range(1, RUNS + 1):
        ran = bench.run(f"{name}/{number}", cell, plan)
        if ran is None:
            break
        rows.append(ended(ran, death))
    return tuple(rows)


def _command(root: Path, study: Study, tried: Repro | None) -> Repro:
    """Return the form that is left: the target's own command. Its runs are the trials of the cell, made before."""
    runs = tuple(_plain(root, study, one) for one in study.plain if one.outcome is not Outcome.UNRESOLVED)
    told = f"a script of {tried.statement} was tried and died {tried.rate} times" if tried else None
    why = told or "no script of it was seen to die"
    statement = f"the target's own command in the cell {study.cell.id}; {why}, so there is no standalone script"
    death = likeness.of(TrialFolder(root, study.reference.id), study.reference)
    return Repro(Form.COMMAND, statement, runs, death)


def _plain(root: Path, study: Study, one: Trial) -> Ended:
    same = study.is_same(one)
    end = End.SAME if same else End.OTHERWISE if one.outcome.is_failure else End.SURVIVED
    return Ended(end, Likeness.SAME if same else Likeness.DIFFERENT, "", one.id, _exit(root, one.id))


def _exit(root: Path, trial_id: str) -> Source:
    path = f"trials/{trial_id}/{records.EXIT}"
    return Source(path, records.line_of(root / path, "signal"))


def spoken_rate(made: Repro, torch: str) -> str:
    """Return the line about its runs, which stands at the script's top and on the console."""
    ways = f" ({made.death})" if made.death else ""
    return f"Died {made.rate} times the same way{ways}: torch {torch}, {platform.system()} {platform.machine()}."


def _write_config(folder: Path, plan: Plan, cell: Cell) -> None:
    """Write a plan of the dying cell alone, and beside it the target's configuration where it has one."""
    target = dict(plan.source.get("target", {}), command=list(plan.target.command))
    paths = {"python": plan.target.python, "cwd": plan.target.cwd}
    target |= {key: os.path.abspath(path) for key, path in paths.items() if path is not None}
    if plan.target.config is not None:
        name = "target" + plan.target.config.suffix
        shutil.copyfile(plan.target.config, folder / name)
        target["config"] = name
    factors = {name: [value] for name, value in cell.factors}
    source = {**plan.source, "name": f"{plan.name}-repro", "target": target, "factors": factors, "repeats": 1}
    source.pop("baseline", None)
    (folder / CONFIG).write_text(yaml.safe_dump(source, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _command_line(folder: Path, made: Repro, subject: Subject | None) -> str:
    if not made.is_standalone or subject is None:
        return shlex.join(["harness", "run", "--once", str(folder / CONFIG)])
    early = script.variables(subject.capture, at_start=True)
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in early.items()), f"python {SCRIPT}"])


def as_json(made: Repro) -> dict[str, Any]:
    """Return the repro as repro.json tells it."""
    return {
        "schema": "inquest/repro/1", "form": made.form, "standalone": made.is_standalone, "statement": made.statement,
        "script": SCRIPT if made.is_standalone else None, "lines": made.lines, "failures": made.rate.failures,
        "trials": made.rate.trials, "finished": made.finished,
        "death": likeness.as_json(made.death) if made.death else None,
        "runs": [run_as_json(one) for one in made.runs],
        "stand_ins": list(made.stand_ins),
    }  # fmt: skip
