"""spoken.jsonl, stderr.log -> what stderr had in the last second before each process of a trial died; pure.

All processes write into one file. A line is told before the first death that it can have come before, and is said to
be a process' own only where there was no other, where it names its process id, or where its own exception is the line.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator

from harness.facts import printed_errors
from harness.facts.folder import TrialFolder
from harness.facts.last_words import last_lines
from harness.facts.processes import ends as process_ends
from harness.facts.processes import first_death
from harness.facts.processes.ends import End
from harness.model import Fact, Source
from probes import records
from probes.outside.crash import torch_stacks

SECONDS = 1.0
LATE_SECONDS = 0.25  # an end may be noticed before the words of the same instant
MOST_BYTES = 1 << 16
MOST_LINES = 6
MOST_LETTERS = 240
MOST_PROCESSES = 8
Words = tuple[str, str]  # a line, and what to quote of it
DULL = re.compile(r"^\s*(?:[~^]+|File \".*\", line \d+.*)?\s*$")


@dataclasses.dataclass(frozen=True)
class Stretch:
    """A part of stderr as it came: from which byte to which, and between which instants it was written."""

    begin: int
    end: int
    since: float
    until: float


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `last_said` for each process that died with words right before: {pid, what, how, seconds, words, ...}.

    `is_own`: whether the words are known to be of that process. Its sources are the lines of stderr.log.
    """
    stretches = list(_stretches(folder))
    dead = _dead(folder)[:MOST_PROCESSES] if stretches else []
    said: dict[int, list[Words]] = {end.pid: [] for end in dead}
    told = 0
    for end in dead:
        near = [one for one in stretches if one.until >= end.began - SECONDS and one.since <= end.began + LATE_SECONDS]
        begin, until = max(told, near[0].begin if near else 0), near[-1].end if near else 0
        for words in _words(_read(folder, begin, until)):
            said[_speaker(dead, end, words[0])].append(words)
        told = max(told, until)
    return [_fact(folder, end, said[end.pid][-MOST_LINES:]) for end in dead if said[end.pid]]


def _speaker(dead: list[End], end: End, line: str) -> int:
    """Return the process whose own exception a line is, where it came with another's end; else that other."""
    return next((one.pid for one in dead if one.error and one.error in line), end.pid)


def _dead(folder: TrialFolder) -> list[End]:
    """Return the processes that died, in that order; the observed one among them."""
    known = first_death.deaths(folder)
    if known.first is not None:
        return [known.first, *known.followers]
    main = process_ends.read(folder)[0]
    return [main] if folder.exit and main.is_death and not main.is_ours else []


def _stretches(folder: TrialFolder) -> Iterator[Stretch]:
    begin = 0
    for row in folder.lines(records.SPOKEN).rows:
        yield Stretch(begin, row.value["stderr"], row.value["since"], row.value["t"])
        begin = row.value["stderr"]


def _read(folder: TrialFolder, begin: int, end: int) -> tuple[str, ...]:
    """Return the lines of a part of stderr, without the stacks that torch's crash handler wrote into it."""
    raw = folder.path / records.STDERR_RAW
    path = raw if raw.exists() else folder.path / records.STDERR
    if end <= begin or not path.exists():
        return ()
    with open(path, "rb") as stream:
        stream.seek(max(begin, end - MOST_BYTES))
        own, _ = torch_stacks.split(stream.read(end - max(begin, end - MOST_BYTES)))
    return tuple(line.rpartition("\r")[2] for line in own.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"))


def _words(lines: tuple[str, ...]) -> list[Words]:
    """Return the lines that say something, and what to quote of each: of a traceback its words and its place."""
    errors = {
        one.line: f"{one.words}, in {one.place}" if one.place else one.words for one in printed_errors.read(lines)
    }
    kept = [(line, errors.get(number, line.strip())) for number, line in enumerate(lines, 1)]
    told = [pair for number, pair in enumerate(kept, 1) if not (_is_of_trace(lines, number) or DULL.match(pair[1]))]
    return [(line, text[:MOST_LETTERS]) for line, text in told]


def _is_of_trace(lines: tuple[str, ...], number: int) -> bool:
    """Whether a line is the inside of a traceback: its header, or indented beneath one."""
    line = lines[number - 1]
    if line.endswith(printed_errors.BEGIN):
        return True
    above = (one for one in reversed(lines[: number - 1]) if not one.startswith((" ", "\t")))
    return line.startswith((" ", "\t")) and next(above, "").endswith(printed_errors.BEGIN)


def _fact(folder: TrialFolder, end: End, words: list[Words]) -> Fact:
    rank = f", rank {end.rank}" if end.rank is not None else ""
    value = {
        "pid": end.pid, "what": f"{end.how}{rank}", "how": end.words or "an end that was not seen",
        "seconds": SECONDS, "words": [text for _, text in words],
        "is_own": _is_own(folder, end, [line for line, _ in words]),
    }  # fmt: skip
    return Fact("last_said", value, tuple(_places(folder, [line for line, _ in words])))


def _is_own(folder: TrialFolder, end: End, said: Iterable[str]) -> bool:
    alone = len(process_ends.read(folder)) == 1
    own = re.compile(rf"\b{end.pid}\b" + (rf"|{re.escape(end.error)}" if end.error else ""))
    return alone or all(own.search(line) for line in said)


def _places(folder: TrialFolder, said: Iterable[str]) -> Iterator[Source]:
    """Yield where the lines stand in stderr.log, each at its last place."""
    places = {
        line.rpartition("\r")[2]: number for number, line in enumerate(last_lines(folder.path / records.STDERR), 1)
    }
    yield from (folder.source(records.STDERR, places[line]) for line in dict.fromkeys(said) if line in places)
