"""stderr.log -> the exceptions that were printed there, fatal or not, of any thread and process; pure.

A program often outlives them: a thread's exception is printed and the thread is gone, a queue's feeder thread prints
one for each thing that it could not send. What then never comes is waited for.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.facts.last_words import last_lines
from harness.model import Fact, Source
from probes import records

BEGIN = "Traceback (most recent call last):"
FRAME = re.compile(r'^ *File "(?P<file>.*)", line (?P<line>\d+), in (?P<name>.*)$')
ERROR = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(: (?P<message>.*))?$")
MOST_KINDS = 6
MOST_LETTERS = 240


@dataclasses.dataclass(frozen=True)
class Printed:
    """One printed exception: its own words, the innermost frame, and the line of stderr.log that holds the words."""

    words: str
    place: str
    line: int


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `printed_error`, one a kind: {words, place, count}, with the first place where it stands."""
    found = list(read(last_lines(folder.path / records.STDERR)))
    kinds = list(dict.fromkeys((one.words, one.place) for one in found))
    return [_fact(folder, [one for one in found if (one.words, one.place) == kind]) for kind in kinds[:MOST_KINDS]]


def _fact(folder: TrialFolder, same: list[Printed]) -> Fact:
    value = {"words": same[0].words, "place": same[0].place, "count": len(same)}
    return Fact("printed_error", value, (Source(folder.source(records.STDERR, 1).file, same[0].line),))


def read(lines: tuple[str, ...]) -> Iterator[Printed]:
    """Yield the exceptions of a text, in their order; an exception's cause, printed before it, is one of its own."""
    place, inside = "", False
    for number, line in enumerate(lines, 1):
        frame = FRAME.match(line)
        if line.endswith(BEGIN):
            place, inside = "", True
        elif inside and frame:
            place = f"{frame['name']} ({frame['file']}:{frame['line']})"
        elif inside and line and not line.startswith((" ", "\t")):
            inside = False
            if ERROR.match(line):
                yield Printed(line.strip()[:MOST_LETTERS], place, number)
