"""Asks the target's own interpreter, before anything is started, whether it can run the target; imports none of it."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from pathlib import Path
from typing import Any

from harness.launch.child_environment import environment
from harness.launch.command import Values, split_options
from harness.plan.target_section import Target
from probes.outside.probe import run_tool

SECONDS = 30.0
OLDEST = (3, 9)
# In words that any Python since 2.7 understands, so that one that is too old can say so.
QUESTION = """
import json, platform, sys
answer = {"version": platform.python_version(), "numbers": list(sys.version_info[:2]), "executable": sys.executable}

def find(name, path):
    specs = (finder.find_spec(name, path) for finder in sys.meta_path if hasattr(finder, "find_spec"))
    return next((spec for spec in specs if spec is not None), None)

def missing(name):
    path, parts, spec = None, name.split("."), None
    for depth in range(len(parts)):
        spec = find(".".join(parts[: depth + 1]), path)
        if spec is None:
            return "there is no module " + name
        path = list(spec.submodule_search_locations or ())
    if path and find(name + ".__main__", path) is None:
        return name + " is a package without __main__.py, so `python -m " + name + "` cannot run it"

if sys.version_info >= (3, 9):
    from importlib.metadata import distributions
    wanted = json.loads(sys.argv[1])
    found = ((name, next(iter(distributions(name=name)), None)) for name in wanted["packages"])
    answer["packages"] = {name: package.version for name, package in found if package is not None}
    answer["missing"] = missing(wanted["module"]) if wanted["module"] else None
print(json.dumps(answer))
"""
PACKAGES = ("torch", "torchvision", "numpy", "pillow", "psutil", "py-spy", "rich", "pyyaml")


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """What a Python said of itself; `problem` where it cannot run the target."""

    path: str
    version: str = ""
    packages: tuple[tuple[str, str], ...] = ()
    problem: str | None = None


@functools.lru_cache(maxsize=64)
def ask(target: Target) -> Interpreter:
    """Ask once; later calls for the same target return the same answer."""
    values = Values(Path(), {}, {})
    variables = {**environment(target, values), "PYTHONDONTWRITEBYTECODE": "1"}
    options, rest = split_options(target.command)
    module = rest[1] if len(rest) > 1 and rest[0] == "-m" else None
    return _ask(target.interpreter, str(target.directory), variables, options, module)


def _ask(python: str, directory: str, variables: dict[str, str], options: list[str], module: str | None) -> Interpreter:
    words = json.dumps({"packages": PACKAGES, "module": module})
    done = run_tool([python, *options, "-c", QUESTION, words], SECONDS, directory=directory, variables=variables)
    said = [line for line in done.stdout.splitlines() if line.startswith('{"')]
    if done.code != 0 or not said:
        last = next(iter(reversed(done.stderr.strip().splitlines())), "")
        return Interpreter(
            python, problem=f"target.python: {python} cannot run here: {last or f'exit code {done.code}'}"
        )
    answer: dict[str, Any] = json.loads(said[-1])
    if tuple(answer["numbers"]) < OLDEST:
        least = ".".join(map(str, OLDEST))
        problem = f"target.python: {python} is Python {answer['version']}; the probes inside need {least} or later"
        return Interpreter(python, answer["version"], problem=problem)
    missing = f"target.command: {answer['missing']}" if answer["missing"] else None
    return Interpreter(
        python, answer["version"], tuple(answer["packages"].items()), missing and _where(missing, directory)
    )


def _where(problem: str, directory: str) -> str:
    return problem if directory == os.getcwd() else f"{problem} (asked in {directory})"
