"""The plan's `bisect` section: what is to be searched beside the thresholds, and with which files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from harness.plan.checked_fields import (
    Fields,
)


@dataclasses.dataclass(frozen=True)
class Side:
    """One of two configurations; what is None or empty is the plan's own. `variables`: environment variables."""

    config: Path | None = None
    variables: tuple[tuple[str, str], ...] = ()
    cell: tuple[tuple[str, Any], ...] = ()


@dataclasses.dataclass(frozen=True)
class Difference:
    """A dying and a surviving configuration, and what is installed where each ran (two files of `pip freeze`)."""

    dies: Side
    survives: Side
    packages: tuple[Path, Path] | None = None


@dataclasses.dataclass(frozen=True)
class Samples:
    """A list of samples, a line each, and the factor by which a shorter list is given to the target."""

    file: Path
    factor: str
    header_lines: int = 0


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What is searched once a failure was reproduced. `place`: where in the model, with a repro.

    `most_trials`: of one search; a failure that comes seldom would else be asked for without end.
    """

    thresholds: bool = True
    place: bool = True
    difference: Difference | None = None
    samples: Samples | None = None
    most_trials: int = 120

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be searched."""
        return not (self.thresholds or self.place or self.difference or self.samples)


READABLE = (".yaml", ".yml", ".json")
NOTHING = Wishes(thresholds=False, place=False)


def read(plan: Fields, folder: Path) -> Wishes:
    """Return the wishes; `bisect: false` is none at all. Relative paths start at `folder`."""
    if plan.raw.get("bisect") is False:
        plan.take("bisect", bool, None)
        return NOTHING
    fields = plan.section("bisect")
    wishes = Wishes(
        thresholds=fields.take("thresholds", bool, True),
        place=fields.take("place", bool, True),
        difference=_difference(fields.section("difference"), folder)
        if fields.raw.get("difference")
        else fields.take("difference", dict, None),
        samples=_samples(fields.section("samples"), folder)
        if fields.raw.get("samples")
        else fields.take("samples", dict, None),
        most_trials=fields.take("most_trials", int, 120, least=1),
    )
    fields.finish()
    return wishes


def _difference(fields: Fields, folder: Path) -> Difference:
    found = Difference(
        _side(fields.section("dies"), folder),
        _side(fields.section("survives", required=True), folder),
        _packages(fields, folder),
    )
    fields.finish()
    return found


def _packages(fields: Fields, folder: Path) -> tuple[Path, Path] | None:
    names = fields.take("packages", list, None)
    if names is None:
        return None
    if len(names) != 2:
        fields.problem("packages", "expected two files: of the configuration that dies, and of the one that survives")
        return None
    dying, surviving = (_file(fields, "packages", str(name), folder) for name in names)
    return (dying, surviving) if dying and surviving else None


def _side(fields: Fields, folder: Path) -> Side:
    config, env_file = fields.take("config", str, None), fields.take("env_file", str, None)
    variables = {str(name): str(value) for name, value in (fields.take("env", dict, {}) or {}).items()}
    file = _file(fields, "env_file", env_file, folder)
    listed = _variables(file.read_text(encoding="utf-8")) if file else {}
    path = _file(fields, "config", config, folder)
    if path is not None and path.suffix not in READABLE:
        fields.problem("config", f"differences are searched in {' or '.join(READABLE)} files, not in {path.name}")
    found = Side(
        path,
        tuple({**listed, **variables}.items()),
        tuple((fields.take("cell", dict, {}) or {}).items()),
    )
    fields.finish()
    return found


def _variables(text: str) -> dict[str, str]:
    """Return what `env` prints: a line `NAME=value` each; a line without a sign of equality goes on with the last."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def _samples(fields: Fields, folder: Path) -> Samples | None:
    name = fields.take("file", str, "", required=True)
    factor = fields.take("factor", str, "", required=True)
    header = fields.take("header_lines", int, 0, least=0)
    fields.finish()
    file = _file(fields, "file", name or None, folder)
    return Samples(file, factor, header) if file else None


def _file(fields: Fields, key: str, name: str | None, folder: Path) -> Path | None:
    """Return the file, at the plan's folder or where `harness` is called; a problem where it is in neither."""
    if name is None:
        return None
    tried = (folder / name, Path(name))
    found = next((path for path in tried if path.is_file()), None)
    if found is None:
        fields.problem(key, f"there is no file {tried[0]}")
    return found
