"""Which of the differences between a dying and a surviving configuration are needed: delta debugging over them.

Differences are settings (dotted keys of the target's configuration), environment variables and factors. What is
installed is only reported: no trial here installs packages.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.decide.study import Study
from harness.model import Cell
from harness.plan.bisect_section import Difference, Side
from harness.plan.checked_fields import (
    dotted_set,
)
from harness.plan.plan_file import Plan
from harness.shrink.bisect.same_failure import answer
from harness.shrink.place.sub_trials import Bench
from harness.shrink.search.answers import Answer
from harness.shrink.search.delta import delta
from harness.shrink.search.results import Minimal

SETTING, VARIABLE, FACTOR = "setting", "variable", "factor"
FOLDER = "bisect/difference"
DIGITS = 12


class Absent:
    """Stands for a key or a variable that one of the two does not have."""

    def __str__(self) -> str:
        """Return the word that a reader sees."""
        return "absent"


ABSENT = Absent()


@dataclasses.dataclass(frozen=True)
class Change:
    """One difference: what it is of, its name, and its value on either side."""

    kind: str
    name: str
    dies: Any
    survives: Any

    def __str__(self) -> str:
        """Return e.g. "setting optimizer.lr: 0.1 instead of 0.01"."""
        return f"{self.kind} {self.name}: {self.dies} instead of {self.survives}"

    def __hash__(self) -> int:
        """Values may be lists."""
        return hash((self.kind, self.name))


def changes(plan: Plan, cell: Cell, wish: Difference) -> list[Change]:
    """Return all differences in a stable order: settings, variables, factors."""
    dying, surviving = (_settings(plan, side) for side in (wish.dies, wish.survives))
    factors = cell.as_dict() | dict(wish.dies.cell)
    return [
        *_differing(SETTING, dying, surviving),
        *_differing(VARIABLE, dict(wish.dies.variables), dict(wish.survives.variables)),
        *_differing(FACTOR, factors, factors | dict(wish.survives.cell)),
    ]


def find(plan: Plan, study: Study, wish: Difference, bench: Bench) -> Minimal[Change]:
    """Return the smallest set of differences that still dies; what was asked before is read from the bench."""
    found = changes(plan, study.cell, wish)
    asked: Counter[str] = Counter()

    def ask(applied: tuple[Change, ...]) -> Answer | None:
        name = _slug(applied)
        asked[name] += 1
        cell, changed = configured(plan, study.cell, wish, found, applied, bench.folder / "configs" / name)
        ran = bench.run(f"{name}/{asked[name]}", cell, changed)
        return None if ran is None else answer(study, ran.trial)

    return delta(found, ask)


def configured(
    plan: Plan, cell: Cell, wish: Difference, every: list[Change], applied: tuple[Change, ...], folder: Path
) -> tuple[Cell, Plan]:
    """Return the surviving configuration with some differences applied; its file is written below `folder`."""
    values = {change: change.dies if change in applied else change.survives for change in every}
    variables = dict(plan.target.env) | _variables(wish, values)
    target = dataclasses.replace(plan.target, env=tuple(variables.items()))
    config = _write(_source(plan, wish.survives), _of(SETTING, values), folder)
    if config is not None:
        target = dataclasses.replace(target, config=config)
    factors = cell.as_dict() | _of(FACTOR, values)
    return Cell(tuple(factors.items())), dataclasses.replace(plan, target=target)


def packages(wish: Difference) -> list[str]:
    """Return what is installed differently, a line each, e.g. "torch: 2.14.1 where it dies, 2.13.0 where it lives"."""
    if wish.packages is None:
        return []
    dying, surviving = (dict(_requirements(path)) for path in wish.packages)
    names = sorted(name for name in dying.keys() | surviving.keys() if dying.get(name) != surviving.get(name))
    return [
        f"{name}: {dying.get(name, ABSENT)} where it dies, {surviving.get(name, ABSENT)} where it lives"
        for name in names
    ]


def _requirements(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        name, sign, version = line.partition("==")
        if sign:
            yield name.strip().lower(), version.strip()


def _differing(kind: str, dying: Mapping[str, Any], surviving: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*dying, *surviving)):
        here, there = dying.get(name, ABSENT), surviving.get(name, ABSENT)
        if here != there:
            yield Change(kind, name, here, there)


def _settings(plan: Plan, side: Side) -> dict[str, Any]:
    """Return the configuration's values by dotted key; lists are values."""
    return dict(_flat(_load(_source(plan, side)), ""))


def _source(plan: Plan, side: Side) -> Path | None:
    return side.config or plan.target.config


def _load(path: Path | None) -> dict[str, Any]:
    """Return a configuration; JSON is YAML as well."""
    loaded = yaml.safe_load(path.read_text(encoding="utf-8")) if path else None
    return loaded if isinstance(loaded, dict) else {}


def _flat(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _variables(wish: Difference, values: Mapping[Change, Any]) -> dict[str, str | None]:
    """Return the variables of this configuration; None takes one away that the other side has."""
    common = dict(wish.survives.variables)
    chosen = _of(VARIABLE, values)
    return {**common, **{name: None if value is ABSENT else value for name, value in chosen.items()}}


def _of(kind: str, values: Mapping[Change, Any]) -> dict[str, Any]:
    return {change.name: value for change, value in values.items() if change.kind == kind}


def _write(source: Path | None, settings: Mapping[str, Any], folder: Path) -> Path | None:
    """Write the source's copy with these settings, in its own format; None where there is no source."""
    if source is None:
        return None
    base = _load(source)
    for name, value in settings.items():
        if value is ABSENT:
            _remove(base, name)
        else:
            dotted_set(base, name, value)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"config{source.suffix}"
    is_json = source.suffix == ".json"
    text = json.dumps(base, indent=2) if is_json else yaml.safe_dump(base, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def _remove(tree: dict[str, Any], key: str) -> None:
    *parents, last = key.split(".")
    for part in parents:
        tree = tree.get(part, {})
    tree.pop(last, None)


def _slug(applied: tuple[Change, ...]) -> str:
    """Return a folder name that is the same in each run of the search."""
    text = "\n".join(str(change) for change in applied)
    return f"{len(applied)}-{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"
