"""The plan's `target:` section: the program observed, in whose interpreter, and how each factor reaches it."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from harness.plan import config_text
from harness.plan.checked_fields import (
    Fields,
)

WAYS = ("env", "config", "arg")
THREAD_FACTORS = ("threads", "interop_threads")  # set from outside, whatever the target knows
MEMORY_FACTOR = "memory_limit_bytes"  # likewise: the trial's control group, or its resource limit
OUTSIDE_FACTORS = (*THREAD_FACTORS, MEMORY_FACTOR)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclasses.dataclass(frozen=True)
class Prepare:
    """A command that is run once, before the first trial, where the path `creates` does not exist."""

    creates: Path
    command: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to set a factor: `kind` is "env", "config" or "arg", `name` the variable, the dotted key, the option."""

    kind: str
    name: str


@dataclasses.dataclass(frozen=True)
class Target:
    """The program observed: what stands after `python`, and its configuration file, if it has one.

    `python`: the interpreter, None for the one that runs the harness. `cwd`: the working directory, None for the
    caller's. `env`: variables on top of the caller's; None takes one away. `factors`: the ways that the plan names.
    """

    command: tuple[str, ...]
    config: Path | None = None
    prepare: Prepare | None = None
    python: str | None = None
    cwd: Path | None = None
    env: tuple[tuple[str, str | None], ...] = ()
    factors: tuple[tuple[str, tuple[Way, ...]], ...] = ()

    @property
    def interpreter(self) -> str:
        """The path of the Python that runs the target."""
        return self.python or sys.executable

    @property
    def directory(self) -> Path:
        """The target's working directory."""
        return self.cwd or Path.cwd()

    def ways(self, name: str) -> tuple[Way, ...]:
        """Return how a factor or setting reaches the target; by default as a key of its configuration; () for not."""
        default = (Way("config", name),) if self.config and name not in OUTSIDE_FACTORS else ()
        return dict(self.factors).get(name, default)


def parse(fields: Fields, folder: Path) -> Target:
    """Read the section; relative paths start at `folder`. Problems go to the fields."""
    command = tuple(str(word) for word in fields.take("command", list, [], required=True))
    config = _path(fields, "config", folder)
    prepare = _prepare(fields.section("prepare")) if fields.raw.get("prepare") else fields.take("prepare", dict, None)
    target = Target(
        command, config, prepare, _python(fields, folder), _path(fields, "cwd", folder), _env(fields.section("env")),
        _ways(fields.section("factors")),
    )  # fmt: skip
    fields.finish()
    _check(target, fields)
    return target


def problem_of(target: Target, name: str, values: tuple[Any, ...]) -> str | None:
    """Return why the target cannot be given these values of a factor or setting; None where it can."""
    ways = target.ways(name)
    if not ways:
        how = f"say how under target.factors.{name}, e.g. {{arg: --{name.replace('_', '-')}}}, or {{env: NAME}}"
        return f"cannot be set: the target has no target.config; {how}"
    keys = [way.name for way in ways if way.kind == "config"]
    if target.config is None or not target.config.is_file():  # the latter is told already
        return None
    found = (config_text.problem(target.config, key, values) for key in keys)
    reason = next((reason for reason in found if reason), None)
    return f"cannot be set: {reason}" if reason else None


def _check(target: Target, fields: Fields) -> None:
    if target.config is not None and not target.config.is_file():
        fields.problem("config", f"there is no file {target.config}")
    if target.config and not any("{config}" in word for word in target.command):
        fields.problem("command", "does not say where the configuration goes: put {config} into it")
    if target.cwd is not None and not target.cwd.is_dir():
        fields.problem("cwd", f"there is no folder {target.cwd}")
    if target.config is None:
        named = [name for name, ways in target.factors if any(way.kind == "config" for way in ways)]
        for name in named:
            fields.problem(f"factors.{name}.config", "cannot be set: the target has no target.config")


def _path(fields: Fields, key: str, folder: Path) -> Path | None:
    text = fields.take(key, str, None)
    return folder / text if text else None


def _python(fields: Fields, folder: Path) -> str | None:
    """Return the interpreter's path: a bare word is looked up as a shell does. Links stay: a venv's python is one."""
    word: str | None = fields.take("python", str, None)
    if word is None:
        return None
    place = shutil.which(word) if os.path.basename(word) == word else os.path.abspath(folder / word)
    if place is None or not os.path.isfile(place):
        fields.problem("python", f"there is no Python {place or word}")
        return None
    if not os.access(place, os.X_OK):
        fields.problem("python", f"{place} cannot be executed")
    return place


def _prepare(fields: Fields) -> Prepare:
    creates = fields.take("creates", str, "", required=True)
    command = tuple(str(word) for word in fields.take("command", list, [], required=True))
    fields.finish()
    return Prepare(Path(creates), command)


def _env(fields: Fields) -> tuple[tuple[str, str | None], ...]:
    variables: list[tuple[str, str | None]] = []
    for name, value in fields.raw.items():
        if not VARIABLE.fullmatch(str(name)):
            fields.problem(str(name), "is not the name of an environment variable")
        elif isinstance(value, dict | list):
            fields.problem(str(name), f"expected a text or a number, got {value!r}")
        else:
            variables.append((str(name), None if value is None else _word(value)))
    return tuple(variables)


def _ways(fields: Fields) -> tuple[tuple[str, tuple[Way, ...]], ...]:
    found = []
    for name in fields.raw:
        section = fields.section(str(name))
        ways = tuple(Way(kind, text) for kind in WAYS if (text := section.take(kind, str, None)))
        section.finish()
        if not ways:
            fields.problem(str(name), "does not say how it is set: give env: NAME, config: dotted.key or arg: --option")
        for way in ways:
            _check_way(way, section)
        found.append((str(name), ways))
    return tuple(found)


def _check_way(way: Way, section: Fields) -> None:
    if way.kind == "env" and not VARIABLE.fullmatch(way.name):
        section.problem("env", f"{way.name!r} is not the name of an environment variable")
    if way.kind == "arg" and not way.name.startswith("-"):
        section.problem("arg", f"{way.name!r} is no option: expected e.g. --batch-size")


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
