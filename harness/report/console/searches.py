"""The searches on the console: each result in a sentence, its decision tree beneath."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.model import Evidence
from harness.report.console.styles import QUIET, item, joined, prose, reasons, section, table, where, words
from harness.report.content import search_rows
from harness.report.content.search_rows import Row, Search


def show(evidence: Evidence) -> Iterator[RenderableType]:
    """Yield all searches, trial by trial."""
    for search in search_rows.found(evidence):
        yield from section(search.title)
        yield prose(words(search.statement, "bold"), indent=2)
        yield from reasons(search.notes)
        if search.rows:
            yield words("")
            yield Padding.indent(_tree(search.rows), 2)
        yield Padding.indent(where([search.source]), 2)


def brief(evidence: Evidence) -> Iterator[RenderableType]:
    """Yield each result in one sentence."""
    found = search_rows.found(evidence)
    if found:
        yield from section("The smallest thing that still dies")
    for search in found:
        yield item(_line(search), where([search.source]))


def _line(search: Search) -> Text:
    return joined(words(f"{search.title}: ", "bold"), words(search.statement))


def _tree(rows: tuple[Row, ...]) -> Table:
    made = table(*search_rows.HEADERS)
    for row in rows:
        tried = joined(words(row.subject), *([where(row.evidence[:1])] if row.evidence else []), separator="\n")
        made.add_row(words(row.question, QUIET), tried, words(row.answers), words(row.excluded))
    return made
