"""Which lines of a list of samples are needed for the failure: delta debugging over the data.

The target takes a list file by one of its factors; each trial gets a shorter copy of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from pathlib import Path

from harness.decide.study import Study
from harness.model import Cell
from harness.plan.bisect_section import Samples
from harness.plan.plan_file import Plan
from harness.shrink.bisect.same_failure import answer
from harness.shrink.place.sub_trials import Bench
from harness.shrink.search.answers import Answer, Isolation
from harness.shrink.search.delta import delta
from harness.shrink.search.results import Minimal

FOLDER = "bisect/samples"
DIGITS = 12
MOST_CAUSES = 10


@dataclasses.dataclass(frozen=True)
class Line:
    """One sample: its number in the file (from 1) and its text."""

    number: int
    text: str


def read(wish: Samples) -> tuple[list[str], list[Line]]:
    """Return the head of the list, which every copy keeps, and its samples; empty lines are none."""
    rows = wish.file.read_text(encoding="utf-8-sig").splitlines()
    head = rows[: wish.header_lines]
    body = enumerate(rows[wish.header_lines :], wish.header_lines + 1)
    return head, [Line(number, text) for number, text in body if text.strip()]


def find(plan: Plan, study: Study, wish: Samples, bench: Bench) -> list[Minimal[Line]]:
    """Return the smallest lists that still die, each by itself, the first first.

    Where the list without one of them dies too, the search begins again on the rest.
    """
    head, lines = read(wish)
    found: list[Minimal[Line]] = []
    while lines and (not found or found[-1].another_cause) and len(found) < MOST_CAUSES:
        found.append(_smallest(plan, study, wish, bench, head, lines))
        lines = [line for line in lines if line not in found[-1].minimal]
    return found


def statement(found: list[Minimal[Line]]) -> str:
    """Return what was found in one sentence."""
    if len(found) == 1:
        return found[0].statement
    known = [one for one in found if one.isolation is Isolation.ISOLATED]
    listed = "; ".join(", ".join(one.labels) for one in known)
    more = ", and there may be more" if found[-1].another_cause or found[-1].is_spent else ""
    sure = min((one.confidence for one in known), default=0.0)
    return (
        f"{len(known)} independent causes{more}, each dies by itself: {listed}; confidence of each at least {sure:.3f}"
    )


def _smallest(
    plan: Plan, study: Study, wish: Samples, bench: Bench, head: list[str], lines: list[Line]
) -> Minimal[Line]:
    """What was asked before is read from the bench. A shorter list is done in fewer steps, so none are expected."""
    shorter = dataclasses.replace(plan, expect_steps=None)
    asked: Counter[str] = Counter()

    def ask(chosen: tuple[Line, ...]) -> Answer | None:
        if not chosen:
            return Answer.SURVIVES  # without a sample there is nothing to train on
        name = _slug(chosen)
        asked[name] += 1
        path = _write(bench.folder / "lists" / f"{name}{wish.file.suffix}", head, chosen)
        ran = bench.run(f"{name}/{asked[name]}", _with(study.cell, wish.factor, path), shorter)
        return None if ran is None else answer(study, ran.trial)

    return delta(lines, ask, label=lambda line: f"{wish.file.name}:{line.number}: {line.text}", name=_slug)


def _with(cell: Cell, factor: str, path: Path) -> Cell:
    return Cell((*((name, value) for name, value in cell.factors if name != factor), (factor, str(path))))


def _write(path: Path, head: list[str], chosen: tuple[Line, ...]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in (*head, *(line.text for line in chosen))), encoding="utf-8")
    return path.resolve()


def _slug(chosen: tuple[Line, ...]) -> str:
    """Return a folder name that is the same in each run of the search."""
    text = ",".join(str(line.number) for line in chosen)
    return f"{len(chosen)}-{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"
