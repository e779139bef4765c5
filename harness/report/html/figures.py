"""The HTML report's figures, each with the numbers it shows: the matrix, memory over time, forward times."""

from __future__ import annotations

from pathlib import Path

from harness import units
from harness.model import Evidence, Outcome
from harness.report.content import chart_series, grids, long_tables, summary
from harness.report.html import chart_forwards, chart_matrix, chart_memory
from harness.report.html.tags import table, tag, words

FORWARDS_CAPTION = (
    "A dot is one forward; the tall stroke is the median, the short one p95; a cross stands for a forward that never "
    "ended. Each panel has its own scale, shared by the calls of one module."
)


def matrix(evidence: Evidence) -> str:
    """Return the matrix as drawings, and the interventions as a table."""
    parts = [tag("h2", "Matrix")]
    if grids.fixed(evidence):
        parts.append(tag("p", "In every cell: ", words(grids.fixed(evidence)), class_="quiet"))
    for grid in grids.of(evidence):
        parts.append(tag("h3", words(grid.title)) if grid.title else "")
        parts.append(tag("figure", chart_matrix.chart(grid)))
    if not evidence.trials:
        parts.append(tag("p", "No trial was run."))
    changed = [
        [words(", ".join(trial.interventions)), words(trial.cell.id), words(summary.ending_text(trial))]
        for trial in grids.intervened(evidence)
    ]
    return "\n".join([*parts, table(("changed on purpose", "cell", "outcome"), changed) if changed else ""])


def memory(evidence: Evidence, folder: Path) -> str:
    """Return memory over time, one line a trial that has a memory record."""
    measured = chart_series.measure(evidence, folder)
    found = [chart_series.memory(folder, trial, measured) for trial in evidence.trials]
    note = tag("figcaption", words(chart_memory.note(evidence, found)))
    if not any(one.points for one in found):
        return tag("h2", "Memory over time") + tag("p", "No memory record was found in the inquest's folder.")
    outcomes = [one.trial.outcome for one in found if one.points]
    figure = tag("figure", chart_memory.chart(evidence, found, measured), note)
    return tag("h2", "Memory over time") + _legend(outcomes) + figure


def forwards(evidence: Evidence, folder: Path) -> str:
    """Return the forward times: every single one where the records have it, and the summary by cell."""
    rows = long_tables.forward_rows(evidence)
    if not rows:
        return tag("h2", "Forward times") + tag("p", "No forward was recorded.")
    single = _single(evidence, folder)
    strips = [chart_forwards.Strip(row, single.get((row.module, row.call, row.cell), ())) for row in rows]
    figure = tag("figure", chart_forwards.chart(strips), tag("figcaption", FORWARDS_CAPTION))
    note = tag("p", long_tables.TIMINGS_NOTE, class_="quiet") if long_tables.has_repeats(evidence) else ""
    details = tag("details", tag("summary", "The same as numbers"), _numbers(rows), note)
    return "\n".join([tag("h2", "Forward times"), figure, details])


def _single(evidence: Evidence, folder: Path) -> dict[tuple[str, int, str], tuple[float, ...]]:
    found: dict[tuple[str, int, str], tuple[float, ...]] = {}
    names = long_tables.cell_names(evidence)
    for trial in evidence.trials:
        for one in chart_series.forwards(folder, trial):
            key = (one.module, one.call, names[trial.id])
            found[key] = (*found.get(key, ()), *one.seconds)
    return found


def _numbers(rows: list[long_tables.ForwardRow]) -> str:
    headers = ("module", "call", "cell", "count", "median", "p95", "unfinished")
    lines = (
        (row.module, row.call, row.cell, row.count, *long_tables.times(row), row.unfinished or "-") for row in rows
    )
    return table(headers, ([words(value) for value in line] for line in lines))


def _legend(outcomes: list[Outcome]) -> str:
    parts = []
    for outcome in summary.SEVERITY:
        if outcome in outcomes:
            mark = '<path class="mark" d="M24 2 l8 8 m0 -8 l-8 8"></path>' if outcome.is_failure else ""
            sample = f'<path class="line {outcome}" d="M0 6 H{28 if mark else 34}"></path>'
            drawing = tag("svg", sample, mark, viewBox="0 0 34 12", aria_hidden="true")
            text = f"{units.count(outcomes.count(outcome), 'trial')} {outcome}"
            parts.append(tag("span", drawing, words(text), class_=outcome.value))
    return tag("div", *parts, class_="legend")
