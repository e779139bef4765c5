"""The command line: what can be asked, and where it is answered. Imports stay light; each command imports its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from harness import __version__
from harness.report.user_errors import explain

EXIT_CODES = """\
exit codes:
  0    no failure seen
  1    a failure was seen and its cause is named
  2    usage or configuration error
  3    a failure was seen, the verdict is open
  4    the harness could not collect its evidence
  130  interrupted; `harness run --resume FOLDER` goes on
"""

RUN_EXAMPLES = """\
examples:
  harness run                                    the default inquest, configs/inquest.yaml
  harness run configs/silent_exit.yaml           the founding case: a planted, silent death
  harness run --set repeats=3 --budget 15m       three trials a cell, none begun after 15 minutes
  harness run --once -- train.py --epochs 1      observe any Python script once
  harness run --once -- -m package.train         observe any Python module once
  harness run --python ~/env/bin/python --cwd ~/project -- -m package.train --config a.yaml
                                                 a project as it is, in its own environment
  harness run --python ~/env/bin/python --once -- torchrun --nproc-per-node 2 train.py
                                                 a console script of that environment; its ranks are observed too
  harness run --once --set survive="40 forwards" -- train.py
                                                 end it there, alive and well, if nothing has died by then
  harness run --set bisect=false                 decide the cause, and shrink nothing
  harness run --resume reports/inquest-...       go on with an interrupted inquest
  harness run --repro reports/inquest-...        does the repro of that report die on this machine too?

"""

CONTROLS_NOTES = """\
examples:
  harness controls                               all, minutes: what can this machine establish?
  harness controls --quick                       the dozen that every inquest runs or reuses for a day
  harness controls --only segv-main race         two of them, in full; no inquest reuses these

Each control is a small inquest in a folder of its own: `harness review FOLDER/ID` shows its evidence. "found" is
the family that the verdict names, else the one that the findings speak for most. One that cannot run here (no
control group, no torch) is "not run", with the reason: its probes are not proven.

exit codes:
  0    all that ran are proven, none is accused wrongly; in full, 95 % of the faults are established
  2    usage error
  4    a healthy program was accused, a wrong family named, or too little proven or established
  130  interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    sys.excepthook = explain
    words = list(sys.argv[1:] if arguments is None else arguments)
    own, command = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, None)
    options = _parser().parse_args(own)
    if command is not None and options.command != "run":
        _parser().error(f"`-- COMMAND` belongs to run, not to {options.command}")
    if getattr(options, "mirror_exit", False) and not options.once:
        _parser().error("--mirror-exit: needs --once, as an inquest has many trials with an exit code each")
    if command == []:
        _parser().error("nothing stands after `--`: give a script or `-m module`")
    options.target = command
    from harness import commands

    code: int = getattr(commands, options.command)(options)
    return code


def seconds(text: str) -> float:
    """Return "90s", "15m", "2h" or "90" as seconds; argparse reports a ValueError of its own making otherwise."""
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    if not number.replace(".", "", 1).isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write 90s, 15m or 2h")
    return float(number) * unit


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="harness", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXIT_CODES,
        description="Inquest: find out why a training run ends without a word. Launches it under observation,\n"
        "over threads and batch sizes, and decides memory exhaustion and threading faults before it\n"
        "lets anyone name a cause.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"inquest {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_smoke(commands)
    _add_review(commands)
    _add_controls(commands)
    commands.add_parser("doctor", help="which evidence this machine can give, and what is in the way")
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run", help="an inquest: baseline, matrix, interventions, bisect, report", epilog=RUN_EXAMPLES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter, usage="harness run [PLAN] [options] [-- COMMAND ...]",
        description="Run an inquest as PLAN says: baseline, matrix; once a failure is seen, one change at a time\n"
        "until memory and threading are decided, then the smallest thing that still dies, and its\n"
        "repro. With `-- COMMAND`, that Python program is the target, instead of the plan's.",
    )  # fmt: skip
    run.add_argument(
        "plan", nargs="?", metavar="PLAN", help="a plan (YAML); default: inquest.yaml, or command.yaml with -- COMMAND"
    )
    run.add_argument(
        "--once", action="store_true", help="one observed trial of the baseline cell and its report; no matrix"
    )
    run.add_argument("--budget", type=seconds, metavar="TIME", help="begin no trial after this time, e.g. 15m")
    _add_target(run)
    _add_streams(run)
    run.add_argument("--resume", metavar="FOLDER", help="go on with an interrupted inquest")
    run.add_argument("--repro", metavar="REPORT", help="run a report's repro five times here, and compare how it dies")
    _add_common(run)


def _add_target(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--python", metavar="PY", help="the target's interpreter, e.g. a virtual environment's; 3.9 or later"
    )
    run.add_argument("--cwd", metavar="DIR", help="the target's working directory (default: this one)")
    run.add_argument(
        "--env", action="append", default=[], type=variable, metavar="NAME=VALUE", help="set a variable for the target"
    )


def _add_streams(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--echo", action="store_true", help="pass the target's stdout and stderr through; our own words go to stderr"
    )
    run.add_argument(
        "--mirror-exit", action="store_true", help="with --once: exit with the target's own code instead of the "
        "verdict's: 128 + n where signal n ended it, 0 where it was ended alive and well at a limit",
    )  # fmt: skip


def variable(text: str) -> str:
    """Return NAME=VALUE as it is; argparse reports what is none."""
    if not text.partition("=")[0].isidentifier() or "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no variable: write NAME=VALUE")
    return text


def _add_smoke(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    smoke = commands.add_parser(
        "smoke", help="one short trial at batch size 1, for CI", epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="One observed trial of the trainer: batch size 1, 1 thread, 2 steps, resnet18 at 64 pixels\n"
        "(configs/smoke.yaml).",
    )  # fmt: skip
    smoke.add_argument("--junit", metavar="FILE", help="also write the result as JUnit XML")
    _add_common(smoke)


def _add_controls(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    controls = commands.add_parser(
        "controls", help="run the planted faults; what is proven on this machine", epilog=CONTROLS_NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run real, planted faults and healthy programs through the whole pipeline. A probe that has not\n"
        "been seen to fire on this machine cannot rule anything out, so every inquest asks for these.",
    )  # fmt: skip
    controls.add_argument(
        "--quick", action="store_true", help="the dozen that every inquest runs, a trial or two each; under a minute"
    )
    controls.add_argument("--only", nargs="+", metavar="ID", help="these alone; a wrong ID lists them all")
    controls.add_argument(
        "--out", default="reports", metavar="DIR", help="where controls.json and all records go (default: reports)"
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a key of the plan, e.g. limits.wall_seconds=60",
    )
    parser.add_argument(
        "--out", default="reports", metavar="DIR", help="where the inquest's folder is made (default: reports)"
    )


def _add_review(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    review = commands.add_parser(
        "review", help="show a report on the console; judges again from its records", epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Judge a report's records again and show what they say. The exit code is the verdict's.",
    )  # fmt: skip
    review.add_argument(
        "report", nargs="?", metavar="REPORT", help="an inquest's folder; default: the newest under reports/"
    )
    review.add_argument("--trial", metavar="ID", help="one trial in detail")
    review.add_argument("--html", action="store_true", help="write report.html into the folder and print its path")
