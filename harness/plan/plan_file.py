"""YAML -> Plan. Every problem is reported at once, each with its key path; nothing is started before all is well."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.model import Cell, ConfigError
from harness.plan.bisect_section import Wishes
from harness.plan.bisect_section import read as read_wishes
from harness.plan.cells import all_cores
from harness.plan.checked_fields import (
    Fields,
    dotted_set,
)
from harness.plan.survive import Survive
from harness.plan.survive import parse as parse_survive
from harness.plan.target_section import MEMORY_FACTOR, OUTSIDE_FACTORS, THREAD_FACTORS, Target, problem_of
from harness.plan.target_section import parse as parse_target

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@dataclasses.dataclass(frozen=True)
class Limits:
    """When the harness ends a trial; None: never for that reason.

    Where `no_progress_seconds` is None, a trial may stand still for `no_progress_steps` median steps, at least for
    `no_progress_least_seconds`; before its first step is done, for `no_progress_start_seconds`.
    """

    wall_seconds: float | None
    no_progress_seconds: float | None
    memory_bytes: int | None
    steps: int | None
    no_progress_least_seconds: float = 10.0
    no_progress_steps: float = 10.0
    no_progress_start_seconds: float = 300.0


@dataclasses.dataclass(frozen=True)
class Plant:
    """A real fault for an untouched target: SIGSEGV on a pool thread in one call of a module, from these sizes on."""

    module: str
    call: int
    min_threads: int
    min_batch: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an inquest is to do.

    `expect_steps`: a run that ends by itself with fewer steps has not completed. `survive`: a trial that has lived for
    so long is ended there, and is well.
    `controls`: whether planted faults are run first (or reused), to know which probes fire on this machine.
    `bisect`: what is searched once a failure was reproduced.
    `replay_values`: whether the values that a dying module was given are saved, for its replay; else only their form.
    """

    name: str
    target: Target
    settings: Mapping[str, Any]
    factors: tuple[tuple[str, tuple[Any, ...]], ...]
    baseline: Cell
    repeats: int
    limits: Limits
    interval_seconds: float
    inside_probes: bool
    expect_steps: int | None
    plant: Plant | None
    controls: bool
    replay_values: bool
    source: Mapping[str, Any]
    survive: Survive | None = None
    bisect: Wishes = Wishes()


def find(name: str) -> Path:
    """Return the path of a plan: as given, else the one of that name that comes with the product."""
    path = Path(name)
    shipped = CONFIGS / path.name
    if path.exists() or not shipped.exists() or len(path.parts) > 2:
        return path
    return shipped.relative_to(Path.cwd()) if shipped.is_relative_to(Path.cwd()) else shipped


def read(
    path: Path, overrides: list[str], command: list[str] | None = None, target: Mapping[str, Any] | None = None
) -> Plan:
    """Read a plan file, apply `key=value` overrides, put `command` in the target's place where it is given.

    `target` holds further keys of the target. With a command, relative paths of the target start where we are called.
    Raises ConfigError with all problems, yaml.YAMLError where the file is not YAML.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such plan file")
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path}: a plan is a mapping of keys to values, this is {type(loaded).__name__}")
    if command:
        loaded = {**loaded, "target": {"command": command}, "settings": {}, "plant": None, "expect": {}}
    for override in overrides:
        _apply(loaded, override)
    for key, value in (target or {}).items():
        dotted_set(loaded, f"target.{key}", value)
    return parse(_from_here(loaded) if command else loaded, path)


def _from_here(loaded: dict[str, Any]) -> dict[str, Any]:
    """Spell the target's paths in full: the plan behind a command lies elsewhere."""
    given = loaded["target"]
    paths = {key: given[key] for key in ("python", "cwd", "config") if isinstance(given.get(key), str)}
    full = {key: os.path.abspath(text) for key, text in paths.items() if key != "python" or os.path.dirname(text)}
    return {**loaded, "target": {**given, **full}}


def parse(raw: Mapping[str, Any], path: Path) -> Plan:
    """Turn a plan's mapping into a Plan; relative paths of the target's files start at the plan's folder. Pure but for
    asking whether files exist. Raises ConfigError with all problems.
    """
    fields = Fields(raw, [])
    target = parse_target(fields.section("target", required=True), path.parent)
    factors = _factors(fields.section("factors"))
    plan = Plan(
        name=fields.take("name", str, path.stem),
        target=target,
        settings=fields.take("settings", dict, {}) or {},
        factors=factors,
        baseline=_baseline(fields.section("baseline"), factors),
        repeats=fields.take("repeats", int, 1, least=1),
        limits=_limits(fields.section("limits")),
        interval_seconds=_interval(fields.section("sampling")),
        inside_probes=fields.take("inside_probes", bool, True),
        expect_steps=_expect(fields.section("expect")),
        plant=_plant(fields.section("plant")) if fields.raw.get("plant") else fields.take("plant", dict, None),
        controls=fields.take("controls", bool, True),
        bisect=read_wishes(fields, path.parent),
        replay_values=fields.take("replay_values", bool, False),
        source=raw,
        survive=parse_survive(fields),
    )
    fields.finish()
    _check_keys(plan, fields)
    if fields.problems:
        raise ConfigError([f"{path}: {problem}" for problem in fields.problems])
    return plan


def _apply(raw: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {override}: expected key=value, e.g. --set repeats=3")
    dotted_set(raw, key.strip(), yaml.safe_load(text))


def _factors(fields: Fields) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    factors = []
    for name in fields.raw:
        values = fields.take(name, list, [])
        if not values:
            fields.problem(name, "has no values, so the matrix would be empty: give a list such as [1, all]")
        factors.append((str(name), _values(str(name), values, fields)))
    return tuple(factors)


def _values(name: str, values: list[Any], fields: Fields) -> tuple[Any, ...]:
    if name in THREAD_FACTORS:
        values = [all_cores() if value == "all" else value for value in values]
        for value in values:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                fields.problem(name, f"{value!r} is not a number of threads: expected a whole number from 1, or all")
    if name == MEMORY_FACTOR:
        for value in values:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                fields.problem(name, f"{value!r} is not a limit: expected a whole number of bytes")
    for value in values:
        if isinstance(value, (dict, list)):
            fields.problem(name, f"{value!r} cannot be one value of a factor")
    return tuple(value for index, value in enumerate(values) if value not in values[:index])


def _baseline(fields: Fields, factors: tuple[tuple[str, tuple[Any, ...]], ...]) -> Cell:
    """The cell that is run first: the plan's, else the last value of each factor."""
    chosen = []
    for name, values in factors:
        value = fields.take(name, object, values[-1] if values else None)
        value = all_cores() if value == "all" and name in THREAD_FACTORS else value
        if values and value not in values:
            fields.problem(name, f"{value!r} is not among the factor's values {list(values)}")
        chosen.append((name, value))
    fields.finish()
    return Cell(tuple(chosen))


def _limits(fields: Fields) -> Limits:
    limits = Limits(
        wall_seconds=fields.take("wall_seconds", float, None, least=0.1),
        no_progress_seconds=fields.take("no_progress_seconds", float, None, least=0.1),
        memory_bytes=fields.take("memory_bytes", int, None, least=1),
        steps=fields.take("steps", int, None, least=1),
        no_progress_least_seconds=fields.take("no_progress_least_seconds", float, 10.0, least=0.1),
        no_progress_steps=fields.take("no_progress_steps", float, 10.0, least=1),
        no_progress_start_seconds=fields.take("no_progress_start_seconds", float, 300.0, least=0.1),
    )
    fields.finish()
    return limits


def _interval(fields: Fields) -> float:
    interval: float = fields.take("interval_seconds", float, 0.02, least=0.001)
    fields.finish()
    return interval


def _expect(fields: Fields) -> int | None:
    steps: int | None = fields.take("steps", int, None, least=1)
    fields.finish()
    return steps


def _plant(fields: Fields) -> Plant:
    plant = Plant(
        module=fields.take("module", str, "", required=True),
        call=fields.take("call", int, 1, least=1),
        min_threads=fields.take("min_threads", int, 1, least=1),
        min_batch=fields.take("min_batch", int, 1, least=1),
    )
    fields.finish()
    return plant


def _check_keys(plan: Plan, fields: Fields) -> None:
    """Every setting and factor must have a way to the target; threads are set from outside."""
    listed = [name for name, _ in plan.target.factors]
    varied = [item for item in plan.factors if item[0] in listed or item[0] not in OUTSIDE_FACTORS]
    wanted = [("settings", key, (value,)) for key, value in plan.settings.items()]
    wanted += [("factors", name, values) for name, values in varied]
    samples = plan.bisect.samples
    wanted += [("bisect.samples.factor", samples.factor, (str(samples.file),))] if samples else []
    for section, key, values in wanted:
        problem = problem_of(plan.target, key, values)
        if problem:
            fields.problems.append(f"{section}.{key}: {problem}")
