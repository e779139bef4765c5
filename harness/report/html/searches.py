"""The searches in the HTML report: each result in a sentence, its decision tree as a table."""

from __future__ import annotations

from harness.model import Evidence, Reason
from harness.report.content import search_rows
from harness.report.content.search_rows import Row, Search
from harness.report.html.tags import breakable, link, table, tag, words


def show(evidence: Evidence) -> str:
    """Return the section of all searches; "" where none was run."""
    found = search_rows.found(evidence)
    return (
        tag("h2", "From &#8220;it dies&#8221; to the smallest thing that still dies") + "".join(map(_one, found))
        if found
        else ""
    )


def _one(search: Search) -> str:
    statement = tag("p", tag("b", words(search.statement)), " ", link(search.source))
    notes = tag("ul", *map(_note, search.notes), class_="list") if search.notes else ""
    summary = tag("summary", f"Decision tree: {len(search.rows)} {'step' if len(search.rows) == 1 else 'steps'}")
    tree = tag("details", summary, table(search_rows.HEADERS, map(_row, search.rows))) if search.rows else ""
    return tag("h3", words(search.title)) + statement + notes + tree


def _note(note: Reason) -> str:
    sources = tag("div", *map(link, note.evidence), class_="sources") if note.evidence else ""
    return tag("li", words(note.text), sources)


def _row(row: Row) -> list[str]:
    tried = tag("code", breakable(row.subject)) + tag("div", *map(link, row.evidence), class_="sources")
    return [words(row.question), tried, words(row.answers), words(row.excluded)]
