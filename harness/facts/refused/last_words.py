"""python_error.json and stderr.log -> what the last words say was refused, and the C++ exception of a terminate; pure.

The exceptions are those that nobody caught, of the observed process and of the one that died first, with those that
they were raised from. Of what was printed only the end counts: what was said long before, the program has survived.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.last_words import last_lines
from harness.facts.processes import first_death
from harness.facts.refused import wording
from harness.model import Fact, Source
from probes import records
from probes.records import Row

LAST_LINES = 60
MOST_LETTERS = 500
TERMINATE = re.compile(r"terminate called after throwing an instance of '(?P<type>[^']*)'")
BARE = re.compile(r"terminate called (?P<type>without an active exception|recursively)")
WHAT = re.compile(r"^\s*what\(\):\s*(?P<what>.*)$")
WHAT_LINES = 3


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `named_want` a resource ({resource, text, said_by, errno}), and `terminate_exception`."""
    lines = last_lines(folder.path / records.STDERR)
    told = itertools.chain(_of_exceptions(folder), _of_lines(folder, lines))
    return [*{fact.value["resource"]: fact for fact in reversed(list(told))}.values(), *_terminate(folder, lines)]


def _of_exceptions(folder: TrialFolder) -> Iterator[Fact]:
    for name, row in errors(folder):
        source = (folder.source(name, row.line),)
        trace = "\n".join(row.value.get("traceback") or ())
        for error in chain(row.value):
            text = f"{error['type']}: {error['message']}"
            place = f"{error.get('filename') or ''}\n{trace}"
            resource = wording.named_by_number(error.get("errno"), text, place) or wording.named_by_text(text)
            if resource:
                yield _want(resource, text, "exception", source, error.get("errno"))


def errors(folder: TrialFolder) -> Iterator[tuple[str, Row]]:
    """Yield (file, row) of the uncaught exceptions of the process that died first, then of the observed one."""
    first = first_death.deaths(folder).first
    if first is not None and first.folder:
        name = first.folder + records.PYTHON_ERROR
        yield from ((name, row) for row in folder.lines(name).rows if row.value.get("pid") == first.pid)
    yield from ((records.PYTHON_ERROR, row) for row in folder.own_lines(records.PYTHON_ERROR))


def chain(error: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an exception and those that it was raised from: as recorded, else as the printed traceback has them."""
    printed = wording.NUMBER.finditer("".join(error.get("traceback") or ()))
    read = [{"type": it["type"], "message": it["message"], "errno": int(it["number"])} for it in printed]
    return [error, *(error.get("chain") or read)]


def _of_lines(folder: TrialFolder, lines: tuple[str, ...]) -> Iterator[Fact]:
    for number, line in list(enumerate(lines, 1))[-LAST_LINES:][::-1]:
        resource = wording.named_by_text(line)
        if resource:
            yield _want(resource, line.strip(), "stderr", (folder.source(records.STDERR, number),))


def _want(resource: str, text: str, by: str, sources: tuple[Source, ...], number: int | None = None) -> Fact:
    value = {"resource": resource, "text": text[:MOST_LETTERS], "said_by": by, "errno": number}
    return Fact("named_want", value, sources)


def _terminate(folder: TrialFolder, lines: tuple[str, ...]) -> list[Fact]:
    """Return the C++ exception that nobody caught: its type and its what(), as libstdc++ prints them at the end."""
    for number, line in list(enumerate(lines, 1))[::-1]:
        match = TERMINATE.search(line) or BARE.search(line)
        if match:
            after = (WHAT.match(text) for text in lines[number : number + WHAT_LINES])
            what = next((found["what"] for found in after if found), None)
            return [Fact("terminate_exception", {"type": match["type"], "what": what},
                         (folder.source(records.STDERR, number),))]  # fmt: skip
    return []
