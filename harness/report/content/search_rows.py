"""What the searches found and how, as rows for all reports: what was asked, of what, what came, what it excluded."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from harness.model import Evidence, Reason, Source

TITLES = {
    "thresholds": "Where it begins", "difference": "Which differences it needs", "samples": "Which samples it needs",
    "place": "Where in the model", "repro": "The smallest thing that still dies",
}  # fmt: skip
HEADERS = ("asked", "of", "answers", "what it excluded")


@dataclasses.dataclass(frozen=True)
class Row:
    """One node of a decision tree: some trials of one subject, asked for one reason."""

    question: str
    subject: str
    answers: str
    excluded: str
    evidence: tuple[Source, ...] = ()


@dataclasses.dataclass(frozen=True)
class Search:
    """One search: its title, its result in a sentence, its decision tree, what else it says, where it is recorded."""

    name: str
    title: str
    statement: str
    rows: tuple[Row, ...]
    notes: tuple[Reason, ...]
    source: Source


def found(evidence: Evidence) -> list[Search]:
    """Return the searches of an inquest, in the order in which one asks."""
    return [_search(name, evidence.bisect[name]) for name in TITLES if name in evidence.bisect]


def _search(name: str, told: Mapping[str, Any]) -> Search:
    read = {"thresholds": _parts, "samples": _parts, "place": _replays, "repro": _runs}.get(name, _trace)
    notes = {"place": _reasons, "repro": _files, "difference": _packages}.get(name, _remarks)
    source = Source(told["record"], 1)
    rate = f"; died {told['failures']} of {told['trials']} times the same way" if name == "repro" else ""
    return Search(name, TITLES[name], told["statement"] + rate, tuple(read(told)), tuple(notes(told)), source)


def _parts(told: Mapping[str, Any]) -> Iterator[Row]:
    for search in told["searches"]:
        yield from _trace(search)


def _trace(told: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the trace, trials of one subject in a row as one node."""
    for (question, subject), rows in groupby(told["trace"], key=lambda row: (row["question"], row["subject"])):
        asked = list(rows)
        yield Row(question, subject, _tally(row["answer"] for row in asked), asked[-1]["excluded"])


def _replays(told: Mapping[str, Any]) -> Iterator[Row]:
    for row in told["asked"]:
        first, last = row["stretch"]
        subject = f"operator {first}" if first == last else f"operators {first} to {last}"
        sources = tuple(Source(**source) for run in row["runs"] for source in run["evidence"][:1])
        where = "the fault is in them" if row["dies"] else "they do not die alone"
        yield Row("does it die, replayed with torch alone?", subject, _tally(_ends(row)), where, sources)


def _runs(told: Mapping[str, Any]) -> Iterator[Row]:
    sources = tuple(Source(**source) for run in told["runs"] for source in run["evidence"][:1])
    rate = f"{told['failures']} of {told['trials']} died the same way"
    yield Row("does it die?", told["script"] or "the target's command", _tally(_ends(told)), rate, sources)


def _ends(told: Mapping[str, Any]) -> list[str]:
    return [run["end"] for run in told["runs"]]


def _tally(answers: Iterable[str]) -> str:
    known = list(answers)
    return ", ".join(f"{known.count(answer)} x {answer}" for answer in dict.fromkeys(known)) or "not run"


def _remarks(told: Mapping[str, Any]) -> Iterator[Reason]:
    for search in told.get("searches", [told]):
        yield from (Reason(text) for text in search.get("remarks", ()))
        if search.get("others"):
            yield Reason(f"failed in another way, and counted for nothing: {', '.join(search['others'])}")
    last = told.get("searches", [told])[-1]
    if last.get("another_cause"):
        yield Reason("there is another, independent cause: without these it dies too")


def _packages(told: Mapping[str, Any]) -> Iterator[Reason]:
    yield from _remarks(told)
    yield from (Reason(f"installed differently (not tried): {text}") for text in told.get("packages", ()))


def _reasons(told: Mapping[str, Any]) -> Iterator[Reason]:
    for reason in told["reasons"]:
        yield Reason(reason["text"], tuple(Source(**source) for source in reason["evidence"]))
    yield from (Reason(f"missing: {gap['probe']}: {gap['reason']}") for gap in told["gaps"])


def _files(told: Mapping[str, Any]) -> Iterator[Reason]:
    folder = told["record"].rpartition("/")[0]
    if told["script"]:
        yield Reason(f"{told['script']}, {told['lines']} lines, needs torch alone", (Source(f"{folder}/repro.py", 1),))
    yield Reason("the command", (Source(f"{folder}/command.txt", 1),))
    yield from (Reason(f"stands in for what was not recorded: {text}") for text in told["stand_ins"])
