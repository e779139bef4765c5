"""What each command does. Each function takes the parsed options and returns the exit code."""

from __future__ import annotations

import argparse
import dataclasses
import os
import shlex
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from harness import inquest, judge
from harness.facts import journal
from harness.facts.ended.signal_names import signal_number
from harness.launch.importable import problems_with
from harness.launch.inquest_folder import make_folder, save_plan
from harness.launch.interrupt import Interrupt
from harness.launch.stop_rules import WELL
from harness.model import Cell, ConfigError, Evidence, VerdictStatus
from harness.plan import plan_file as plan
from harness.report.live_display import Display
from harness.report.user_errors import INTERRUPTED, NO_EVIDENCE
from probes import records

SIGNALED = 128
EXIT_OF_VERDICT = {VerdictStatus.NO_FAILURE: 0, VerdictStatus.NAMED: 1}
OPEN = 3


def run(options: argparse.Namespace) -> int:
    """`harness run`: a new inquest, or an interrupted one that goes on."""
    if options.resume:
        return _resume(Path(options.resume), options)
    if options.repro:
        return _again(Path(options.repro), Path(options.out))
    path = plan.find(options.plan or ("command.yaml" if options.target else "inquest.yaml"))
    return _begin(path, options, options.once)


def smoke(options: argparse.Namespace) -> int:
    """`harness smoke`: one trial of configs/smoke.yaml."""
    options.target, options.budget = None, None
    return _begin(plan.find("smoke.yaml"), options, once=True, junit=options.junit)


def review(options: argparse.Namespace) -> int:
    """`harness review`: judge again from the records, and show."""
    root = _report(options.report)
    evidence = judge.evidence(root)
    if options.html:
        from harness.report.html import page as html

        page = root / "report.html"
        page.write_text(html.render(evidence, root), encoding="utf-8")
        print(page)
        return _exit_code(evidence)
    _show(evidence, options.trial)
    return _exit_code(evidence)


def doctor(options: argparse.Namespace) -> int:
    """`harness doctor`: a table of evidence sources."""
    from rich.table import Table

    from harness.launch.doctor import examine

    table = Table("evidence", "here", "detail", box=None, pad_edge=False)
    for source in examine():
        table.add_row(source.name, "[green]yes[/]" if source.available else "[yellow]no[/]", source.detail)
    Console().print(table)
    return 0


def controls(options: argparse.Namespace) -> int:
    """`harness controls`: planted faults through the whole pipeline; what is proven on this machine."""
    from harness.controls import session

    problem = _problem_with_folder(Path(options.out))
    if problem:
        raise ConfigError(problem)
    return session.run(Path(options.out), options.quick, options.only)


def _begin(path: Path, options: argparse.Namespace, once: bool, junit: str | None = None) -> int:
    read = _as_asked(plan.read(path, options.set, options.target, _target_keys(options)), options, once)
    out = Path(options.out)
    problems = [
        *problems_with(read.target),
        _problem_with_folder(out),
        _problem_with_folder(Path(junit).parent) if junit else None,
    ]
    if any(problems):
        raise ConfigError([problem for problem in problems if problem])
    root = make_folder(out, read.name)
    save_plan(root, read, once, path)
    order = inquest.Order(read, _spelling(path, options), once, options.budget, getattr(options, "echo", False))
    code = _carry_out(root, order, junit)
    return _mirrored(root) if getattr(options, "mirror_exit", False) and code != INTERRUPTED else code


def _mirrored(root: Path) -> int:
    """Return the exit code of the one trial's child, as a shell would: 128 + n for signal n.

    0 where the harness ended it alive and well; that it could not be seen to end is missing evidence.
    """
    folders = [root / "trials" / trial_id for trial_id in journal.trial_ids(root)]
    record = (records.read_json(folders[-1] / records.EXIT) if folders else None) or {}
    if record.get("limit") in WELL:
        return 0
    if record.get("signal"):
        return SIGNALED + signal_number(record["signal"])
    code: int | None = record.get("code")
    return NO_EVIDENCE if code is None else code


def _target_keys(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the command line says of the target; relative paths start at the caller's folder."""
    python, cwd = getattr(options, "python", None), getattr(options, "cwd", None)
    keys: dict[str, Any] = {"cwd": os.path.abspath(cwd)} if cwd else {}
    if python:
        keys["python"] = os.path.abspath(python) if os.path.dirname(python) else python
    pairs = (item.partition("=") for item in getattr(options, "env", ()))
    return keys | {f"env.{name}": value for name, _, value in pairs}


def _as_asked(read: plan.Plan, options: argparse.Namespace, once: bool) -> plan.Plan:
    """`--once -- COMMAND` runs the program as it is, unless factors are set on the command line."""
    if once and options.target and not any(item.startswith("factors") for item in options.set):
        source = {**read.source, "factors": {}, "baseline": {}}  # what --resume will read
        return dataclasses.replace(read, factors=(), baseline=Cell(()), source=source)
    return read


def _resume(root: Path, options: argparse.Namespace) -> int:
    saved = records.read_lines(root / records.JOURNAL)
    if not saved.exists or not (root / records.PLAN).exists():
        raise ConfigError(f"--resume {root}: there is no inquest in this folder")
    stored: dict[str, Any] = yaml.safe_load((root / records.PLAN).read_text(encoding="utf-8"))
    read = plan.parse(stored["plan"], Path(stored["plan_file"]))
    order = inquest.Order(read, saved.rows[0].value["inquest"]["command"], stored["once"], options.budget)
    return _carry_out(root, order, None)


def _again(report: Path, out: Path) -> int:
    """Run a report's repro on this machine, in a folder of its own, which is the last line."""
    from harness.shrink.place import rerun
    from harness.shrink.place.sub_trials import Bench

    rerun.load(report)
    problem = _problem_with_folder(out)
    if problem:
        raise ConfigError(problem)
    root = make_folder(out, f"repro-{report.resolve().name}")
    with Interrupt() as interrupt:
        again = rerun.run(report, Bench(root, "runs", lambda: not interrupt.asked, lambda _: not interrupt.asked))
    for line in (*rerun.lines(again), str(root)):
        Console().print(line, markup=False, highlight=False, soft_wrap=True)
    return INTERRUPTED if interrupt.asked else again.exit_code


def _carry_out(root: Path, order: inquest.Order, junit: str | None) -> int:
    console = Console(stderr=order.echo)  # stdout is the target's then
    with Interrupt() as interrupt:
        evidence = inquest.run(root, order, Display(console), interrupt)
    if junit:
        from harness.report import junit as xml

        Path(junit).write_text(xml.render(evidence), encoding="utf-8")
    _close(console, root, evidence, interrupt)
    return INTERRUPTED if interrupt.asked else _exit_code(evidence)


def _close(console: Console, root: Path, evidence: Evidence, interrupt: Interrupt) -> None:
    """Say what came out; the folder is the last line."""
    from harness.report.console.review import brief, show

    if interrupt.asked:
        console.print(
            f"interrupted; go on with: harness run --resume {root}", markup=False, highlight=False, soft_wrap=True
        )
    if console.is_terminal:
        show(brief(evidence), console)
    console.print(f"verdict {evidence.verdict.status}: {evidence.verdict.statement}", markup=False, highlight=False)
    console.print(f"to read it all: harness review {root}", markup=False, highlight=False, soft_wrap=True)
    console.print(str(root), markup=False, highlight=False, soft_wrap=True)


def _show(evidence: Evidence, trial_id: str | None) -> None:
    from harness.report.console.one_trial import trial_review
    from harness.report.console.review import show

    known = [trial.id for trial in evidence.trials]
    if trial_id is not None and trial_id not in known:
        raise ConfigError(f"--trial {trial_id}: there is no such trial; there are: {', '.join(known) or 'none'}")
    show(evidence if trial_id is None else trial_review(evidence, trial_id), Console())


def _report(name: str | None) -> Path:
    """Return the folder to review: as given, or the newest under reports/."""
    if name is not None:
        if not (Path(name) / records.JOURNAL).exists():
            raise ConfigError(f"{name}: there is no inquest in this folder (no {records.JOURNAL})")
        return Path(name)
    journals = sorted(Path("reports").glob(f"*/{records.JOURNAL}"), key=lambda path: path.stat().st_mtime)
    if not journals:
        raise ConfigError("reports: there is no inquest yet; make one with `harness run`")
    return journals[-1].parent


def _exit_code(evidence: Evidence) -> int:
    """Return the verdict's exit code; an open verdict without any failure means that evidence is missing."""
    if evidence.verdict.status is VerdictStatus.OPEN and not any(trial.outcome.is_failure for trial in evidence.trials):
        return NO_EVIDENCE
    return EXIT_OF_VERDICT.get(evidence.verdict.status, OPEN)


def _problem_with_folder(folder: Path) -> str | None:
    """Return why nothing can be written below `folder`, which need not exist yet."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        return f"--out {folder}: {nearest} is not a folder"
    return None if os.access(nearest, os.W_OK | os.X_OK) else f"--out {folder}: {nearest} is not writable"


def _spelling(path: Path, options: argparse.Namespace) -> str:
    """Return the command that begins this inquest again, for the report's next experiments."""
    words = ["harness", "run", str(path), *(word for item in options.set for word in ("--set", item))]
    given = [(name, getattr(options, name, None)) for name in ("python", "cwd")]
    words += [word for name, value in given if value for word in (f"--{name}", value)]
    words += [word for item in getattr(options, "env", ()) for word in ("--env", item)]
    return shlex.join(words + (["--", *options.target] if options.target else []))
