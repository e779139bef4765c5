"""The console's tables: the matrix, the forward timings, the gaps, the controls."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.model import Evidence, Trial
from harness.report.console.styles import OUTCOMES, QUIET, Fitted, item, joined, prose, section, table, words
from harness.report.content import grids, long_tables, summary


def matrix(evidence: Evidence) -> Iterator[RenderableType]:
    """Yield the matrix as grids of coloured squares, then the interventions."""
    yield from section("Matrix")
    found = grids.of(evidence)
    if not found:
        yield prose("No trial was run.")
    if grids.fixed(evidence):
        yield prose(words(f"in every cell: {grids.fixed(evidence)}", QUIET))
    for grid in found:
        if grid.title:
            yield words(f"\n  {grid.title}", "bold")
        yield Fitted(functools.partial(_parts, grid))
    changed = grids.intervened(evidence)
    if changed:
        yield words("")
        yield Padding.indent(_interventions(changed), 2)


def timings(evidence: Evidence) -> Iterator[RenderableType]:
    """Yield how long the forwards of the top-level modules took."""
    yield from section("Forward timings")
    rows = long_tables.forward_rows(evidence)
    if not rows:
        yield prose("No forward was recorded.")
        return
    yield _timings(rows)
    if long_tables.has_repeats(evidence):
        yield prose(words(long_tables.TIMINGS_NOTE, QUIET))


def gaps(evidence: Evidence) -> Iterator[RenderableType]:
    """Yield the evidence that is missing, or say that none is."""
    yield from section("Gaps", words("evidence that is missing", QUIET))
    found = long_tables.missing(evidence)
    if not found:
        yield prose(long_tables.nothing_missing(evidence))
        return
    made = table("probe", "why", "where")
    for gap in found:
        made.add_row(words(gap.probe), words(gap.reason), words(gap.where, QUIET))
    yield Padding.indent(made, 2)


def controls(evidence: Evidence) -> Iterator[RenderableType]:
    """Yield the planted faults, and what is proven by them on this machine."""
    if not evidence.controls:
        return
    yield from section("Controls", words(summary.controls_text(evidence.controls), QUIET))
    for control in evidence.controls:
        mark = words("proven", "green") if control.proven else words("NOT PROVEN", "bold yellow")
        shown = words(f"expected {control.expected}; observed {control.observed}", QUIET)
        yield item(joined(words(control.id, "bold"), mark, separator="  "), shown)


def _parts(grid: grids.Grid, _: Console, width: int) -> Iterator[RenderableType]:
    """Yield the grid, in as many parts as the width asks for."""
    lines = [line for row in grid.squares for square in row for line in square.lines]
    widest = max(len(line) for line in (*lines, *grid.columns)) + 3
    fitting = max(1, (width - max(map(len, grid.rows)) - 5) // widest)
    for first in range(0, len(grid.columns), fitting):
        yield Padding.indent(_grid(grid, slice(first, first + fitting)), 2)


def _grid(grid: grids.Grid, part: slice) -> Table:
    made = table("", *grid.columns[part])
    for label, squares in zip(grid.rows, grid.squares, strict=True):
        made.add_row(words(label, "bold"), *(_square(square) for square in squares[part]))
    return made


def _square(square: grids.Square) -> Text:
    outcome = square.outcome
    return words("\n".join(square.lines), OUTCOMES[outcome] if outcome else QUIET)


def _interventions(trials: list[Trial]) -> Table:
    made = table("changed on purpose", "cell", "outcome")
    for trial in trials:
        outcome = words(summary.ending_text(trial), OUTCOMES[trial.outcome])
        made.add_row(words(", ".join(trial.interventions)), words(trial.cell.id), outcome)
    return made


def _timings(rows: list[long_tables.ForwardRow]) -> RenderableType:
    headers = ("cell", "count", "median", "p95", "unfinished")
    made = table(*headers, right=headers[1:])
    for before, row in zip((None, *rows), rows, strict=False):
        if before is None or (row.module, row.call) != (before.module, before.call):
            made.add_row(words(f"{row.module}, call {row.call}", "bold"))
        unfinished = words(row.unfinished or "-", "bold red" if row.unfinished else QUIET)
        made.add_row(
            words(f"  {row.cell}"), words(row.count), *(words(time) for time in long_tables.times(row)), unfinished
        )
    return Padding.indent(made, 2)
