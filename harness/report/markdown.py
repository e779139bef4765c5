"""The Markdown report, made for GitHub: the same content as the other reports, charts as tables; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from harness import units
from harness.model import Evidence, Finding, Source
from harness.report import shell
from harness.report.content import grids, long_tables, search_rows, summary
from harness.report.html.tags import address


def render(evidence: Evidence) -> str:
    """Return report.md: links are relative to the inquest's folder."""
    parts = (_header, _verdict, _what_happened, _questions, _others, _searches, _experiments, _matrix, _timings)
    rest = (_trials, _gaps, _controls)
    return "\n".join(line for part in (*parts, *rest) for line in part(evidence)).rstrip() + "\n"


def words(text: object) -> str:
    """Return foreign text on one line, without a meaning to Markdown or HTML."""
    flat = " ".join(units.printable(text).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#~!&$" else sign for sign in flat).replace("@", "@\u200b")


def code(text: object) -> str:
    """Return foreign text as code; a grave accent in it becomes an apostrophe, a bar is escaped for tables."""
    flat = " ".join(units.printable(text).split())
    return "`" + flat.replace("`", "'").replace("|", "\\|") + "`"


def fence(text: str) -> list[str]:
    """Return lines as a code block that nothing in them can end."""
    visible = units.printable(text)
    mark = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", visible)), 0)
    return [f"{mark}sh", *visible.split("\n"), mark]


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return the lines of a table; cells are Markdown."""
    names = list(headers)
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names), *lines, ""]


def _header(evidence: Evidence) -> Iterator[str]:
    yield f"# Inquest {words(evidence.inquest.get('id', ''))}"
    yield ""
    yield f"- Ran: {words(summary.when(evidence))}"
    yield f"- Machine: {words(summary.machine(evidence))}"
    yield f"- Command: {code(evidence.inquest.get('command', ''))}"
    if summary.stages(evidence):
        yield f"- Stages: {words(summary.stages(evidence))}"
    yield ""


def _verdict(evidence: Evidence) -> Iterator[str]:
    found = evidence.verdict
    cause = f": {found.cause}" if found.cause else ""
    yield f"> **Verdict: {found.status.replace('-', ' ').upper()}{cause}**"
    yield ">"
    yield f"> {words(found.statement)}"
    yield ""


def _what_happened(evidence: Evidence) -> Iterator[str]:
    yield from ("## What happened", "", f"{summary.counts(evidence)}.", "")
    for ending in summary.endings(evidence):
        yield f"- **{len(ending.trials)} x {words(ending.text)}**: {words(ending.meaning)}  "
        yield "  " + ", ".join(code(trial) for trial in ending.trials)
        yield from (f"  - {words(reason.text)} {_sources(reason.evidence)}" for reason in ending.around)
    yield ""


def _questions(evidence: Evidence) -> Iterator[str]:
    for hypothesis, question in summary.QUESTIONS:
        found = summary.find(evidence, hypothesis)
        yield from (f"## {question} {summary.ANSWERS[found.status] if found else summary.NOT_JUDGED}", "")
        yield from _finding(found) if found else ()


def _others(evidence: Evidence) -> Iterator[str]:
    found = summary.others(evidence)
    if found:
        yield from ("## Other hypotheses", "")
    for finding in found:
        if not summary.is_brief(finding):
            yield from (f"### {words(finding.id)}: {_status(finding)}", "")
            yield from _finding(finding)
    brief = [finding for finding in found if summary.is_brief(finding)]
    if brief:
        rows = ([words(finding.id), _status(finding), "<br>".join(_because(finding))] for finding in brief)
        yield from table(("hypothesis", "status", "because"), rows)


def _finding(finding: Finding) -> Iterator[str]:
    for reason in finding.reasons:
        yield f"- {words(summary.reason_text(reason))}" + ("  " if reason.evidence else "")
        if reason.evidence:
            yield "  " + _sources(reason.evidence)
    for gap in finding.gaps:
        yield f"- _missing: {words(gap.probe)}: {words(gap.reason)}_"
    yield ""


def _because(finding: Finding) -> Iterator[str]:
    for reason in finding.reasons:
        yield " ".join([words(summary.reason_text(reason)), _sources(reason.evidence)]).rstrip()
    for gap in finding.gaps:
        yield f"_missing: {words(gap.probe)}: {words(gap.reason)}_"


def _searches(evidence: Evidence) -> Iterator[str]:
    for search in search_rows.found(evidence):
        yield from (f"## {search.title}", "", f"**{words(search.statement)}** {_sources([search.source])}", "")
        yield from (f"- {words(note.text)} {_sources(note.evidence)}".rstrip() for note in search.notes)
        yield from [""] if search.notes else []
        rows = (
            [words(row.question), code(row.subject), words(row.answers), words(row.excluded)] for row in search.rows
        )
        yield from table(search_rows.HEADERS, rows) if search.rows else ()


def _experiments(evidence: Evidence) -> Iterator[str]:
    if evidence.verdict.next_experiments:
        yield from ("## What to run next", "", "In the order of what each would decide.", "")
    for experiment in evidence.verdict.next_experiments:
        lines = shell.lines(experiment.command, 110, shell.continuation(evidence))
        yield from (words(experiment.decides), "", *fence("\n".join(lines)), "")


def _matrix(evidence: Evidence) -> Iterator[str]:
    yield from ("## Matrix", "")
    if grids.fixed(evidence):
        yield from (f"In every cell: {words(grids.fixed(evidence))}", "")
    for grid in grids.of(evidence):
        yield from (f"**{words(grid.title)}**", "") if grid.title else ()
        pairs = zip(grid.rows, grid.squares, strict=True)
        rows = ([f"**{words(label)}**", *map(_square, squares)] for label, squares in pairs)
        yield from table(["", *map(words, grid.columns)], rows)
    changed = grids.intervened(evidence)
    if changed:
        rows = (
            [words(", ".join(trial.interventions)), words(trial.cell.id), words(summary.ending_text(trial))]
            for trial in changed
        )
        yield from table(("changed on purpose", "cell", "outcome"), rows)
    if not evidence.trials:
        yield from ("No trial was run.", "")


def _square(square: grids.Square) -> str:
    text = "<br>".join(words(line) for line in square.lines)
    return f"**{text}**" if square.outcome and square.outcome.is_failure else text


def _timings(evidence: Evidence) -> Iterator[str]:
    yield from ("## Forward timings", "")
    rows = long_tables.forward_rows(evidence)
    headers = ("module", "call", "cell", "count", "median", "p95", "unfinished")
    lines = (
        (row.module, row.call, row.cell, row.count, *long_tables.times(row), row.unfinished or "-") for row in rows
    )
    yield from table(headers, (map(words, line) for line in lines)) if rows else ("No forward was recorded.", "")
    yield from (long_tables.TIMINGS_NOTE, "") if long_tables.has_repeats(evidence) else ()


def _trials(evidence: Evidence) -> Iterator[str]:
    if not evidence.trials:
        return
    yield from ("## Trials", "")
    rows = (
        [
            code(trial.id),
            words(" + ".join(trial.interventions)) or "-",
            words(summary.ending_text(trial)),
            units.size(trial.peak_rss_bytes),
            units.duration(trial.value("duration_seconds")),
        ]
        for trial in evidence.trials
    )
    yield from table(("trial", "changed on purpose", "outcome", "peak memory", "wall time"), rows)


def _gaps(evidence: Evidence) -> Iterator[str]:
    yield from ("## Gaps: evidence that is missing", "")
    rows = [[words(gap.probe), words(gap.reason), words(gap.where)] for gap in long_tables.missing(evidence)]
    yield from table(("probe", "why", "where"), rows) if rows else (long_tables.nothing_missing(evidence), "")


def _controls(evidence: Evidence) -> Iterator[str]:
    if not evidence.controls:
        return
    yield from ("## Controls", "", f"{summary.controls_text(evidence.controls)}.", "")
    rows = (
        [words(one.id), "proven" if one.proven else "**NOT PROVEN**", words(one.expected), words(one.observed)]
        for one in evidence.controls
    )
    yield from table(("control", "", "expected", "observed"), rows)


def _status(finding: Finding) -> str:
    return finding.status.replace("-", " ").upper()


def _sources(sources: Iterable[Source]) -> str:
    return " ".join(f"[{code(source)}]({address(source.file)})" for source in sources)
