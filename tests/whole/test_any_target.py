"""Projects that know nothing of us, in their own interpreters, through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from observing import harness
from pythons import VERSIONS, find

from probes import records

SHOW = """
import argparse, json, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("--config")
parser.add_argument("--batch-size", type=int, default=4)
parser.add_argument("--quick-experiment", type=float)
args = parser.parse_args()
print(json.dumps({
    "args": vars(args), "python": sys.version_info[:2], "cwd": os.getcwd(), "seed": os.environ.get("SEED"),
    "config": open(args.config).read() if args.config else None, "argv": sys.argv, "executable": sys.executable,
    "ours": [name for name in sys.modules if name.split(".")[0] in ("harness", "probes", "psutil", "yaml", "rich")],
}))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project's folder: a package with a trainer, and its configuration."""
    package = tmp_path / "project" / "their_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text(SHOW)
    (tmp_path / "project" / "their.json").write_text('{"lr": 1,   "batch": 2}')
    return tmp_path / "project"


def shown(directory: Path, done: subprocess.CompletedProcess[str], trial: str = "as-is/1") -> dict[str, Any]:
    """Return what the program of a trial has printed."""
    assert done.stdout.splitlines() and not done.stderr, done.stdout + done.stderr
    text = (directory / done.stdout.splitlines()[-1] / "trials" / trial / records.STDOUT).read_text()
    return dict(json.loads(text))


@pytest.mark.parametrize("version", VERSIONS)
def test_runs_in_its_own_interpreter(tmp_path: Path, project: Path, version: str) -> None:
    """A module of a project elsewhere, with its own Python, in which nothing of ours is installed."""
    python = find(version)
    words = ("--python", python, "--cwd", "project", "--env", "SEED=7", "--env", "PYTHONPATH=", "--once")
    command = ("-m", "their_package.train", "--config", "their.json", "--quick-experiment", "0.1")
    done = harness(tmp_path, "run", *words, "--out", "out", "--", *command)
    said = shown(tmp_path, done)
    assert done.returncode == 0
    assert said["python"] == [int(part) for part in version.split(".")]
    assert (said["cwd"], said["seed"], said["ours"]) == (str(project), "7", [])
    assert said["args"] == {"config": "their.json", "batch_size": 4, "quick_experiment": 0.1}
    folder = tmp_path / done.stdout.splitlines()[-1] / "trials" / "as-is" / "1"
    assert (records.read_json(folder / records.ENVIRONMENT) or {})["python"].startswith(f"{version}.")
    assert (records.read_json(folder / records.SPEC) or {})["python"] == python


def test_factors_are_set_as_the_plan_says(tmp_path: Path, project: Path) -> None:
    """By argument, by variable and by key, each trial its own; the configuration is copied, the original untouched."""
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        """
controls: false
target:
  cwd: project
  command: [-u, -m, their_package.train, --config, "{config}", --batch-size, "9"]
  config: project/their.json
  factors:
    batch_size: {arg: --batch-size, config: batch}
    seed: {env: SEED}
factors:
  batch_size: [1, 8]
  seed: [5]
"""
    )
    done = harness(tmp_path, "run", plan, "--out", "out")
    for size in (1, 8):
        said = shown(tmp_path, done, f"batch_size={size},seed=5/1")
        assert (said["args"]["batch_size"], said["seed"]) == (size, "5")
        assert said["config"] == f'{{"lr": 1,   "batch": {size}}}'
    assert (project / "their.json").read_text() == '{"lr": 1,   "batch": 2}'


def test_a_factor_can_be_given_on_the_command_line(tmp_path: Path, project: Path) -> None:
    """--set reaches the target's factors too."""
    ways = ("--set", "target.factors.batch_size.arg=--batch-size", "--set", "factors.batch_size=[3]")
    script = project / "their_package" / "train.py"
    done = harness(tmp_path, "run", "--once", *ways, "--out", "out", "--", script)
    assert shown(tmp_path, done, _only(tmp_path, done))["args"]["batch_size"] == 3


def _only(directory: Path, done: subprocess.CompletedProcess[str]) -> str:
    """Return the id of the only trial."""
    trials = directory / done.stdout.splitlines()[-1] / "trials"
    return next(path.parent.relative_to(trials).as_posix() for path in trials.glob("*/1/spec.json"))


def test_console_script_runs_under_the_boot(tmp_path: Path) -> None:
    """A script of the interpreter's environment, by its name: argv[0] is its path, as a shell would have it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "env"], cwd=tmp_path, check=True, timeout=60)
    script = tmp_path / "env" / "bin" / "their-tool"
    script.write_text(f"#!{tmp_path}/env/bin/python\n{SHOW}")
    done = harness(tmp_path, "run", "--once", "--python", "env/bin/python", "--out", "out", "--", "their-tool")
    said = shown(tmp_path, done)
    assert said["argv"] == [str(script)]
    assert said["executable"] == str(tmp_path / "env" / "bin" / "python")


class TestRefused:
    """Exit code 2, one message, nothing started."""

    def refused(self, directory: Path, *arguments: object) -> str:
        """Return the message."""
        done = harness(directory, "run", "--once", "--out", "out", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert not (directory / "out").exists()
        return done.stderr

    def test_what_is_not_there(self, tmp_path: Path, project: Path) -> None:
        """The module is looked for in the target's folder, by the target's interpreter."""
        words = ("--cwd", project, "--", "-m", "their_package.none")
        assert "there is no module their_package.none (asked in " in self.refused(tmp_path, *words)
        told = self.refused(tmp_path, "--python", "no/python", "--cwd", "none", "--", "x.py")
        assert f"target.python: there is no Python {tmp_path}/no/python" in told
        assert f"target.cwd: there is no folder {tmp_path}/none" in told

    def test_a_python_that_is_too_old_or_none(self, tmp_path: Path) -> None:
        """Its version is named; a program that is no Python cannot run here."""
        (tmp_path / "x.py").write_text("")
        old = tmp_path / "old"
        old.write_text('#!/bin/sh\necho \'{"version": "3.8.1", "numbers": [3, 8]}\'\n')
        old.chmod(0o755)
        told = self.refused(tmp_path, "--python", "./old", "--", "x.py")
        assert "is Python 3.8.1; the probes inside need 3.9 or later" in told
        assert "cannot run here: exit code 1" in self.refused(tmp_path, "--python", "/bin/false", "--", "x.py")

    def test_a_variable_without_a_value(self, tmp_path: Path) -> None:
        """NAME=VALUE."""
        assert "is no variable: write NAME=VALUE" in self.refused(tmp_path, "--env", "SEED", "--", "x.py")
