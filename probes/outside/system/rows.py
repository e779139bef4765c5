"""One line of a trace, as trace_pipe prints it, in parts; pure.

`<comm>-<tid> [<cpu>] <flags> <seconds>: <event>: <fields>`; a name may hold spaces and dashes, or be unknown ("<...>").
Source: the kernel's Documentation/trace/ftrace.rst ("Output format").
"""

from __future__ import annotations

import dataclasses
import re

LINE = re.compile(
    r"^\s*(?P<comm>\S.{0,15}?)-(?P<thread>\d+)\s+\[\d+\]\s+\S+\s+(?P<t>\d+\.\d+): (?P<event>\w+): (?P<text>.*)$"
)
CALL = re.compile(r"^NR (?P<id>-?\d+) = (?P<ret>-?\d+)$")
LOST = re.compile(r"\[LOST (?P<count>\d+) EVENTS\]")
BIRTH = re.compile(r"^pid=(?P<pid>\d+) comm=(?P<comm>.*) clone_flags=(?P<flags>[0-9a-f]+) ")
SENT = re.compile(
    r"^sig=(?P<sig>\d+) errno=-?\d+ code=(?P<code>-?\d+) comm=(?P<comm>.*) pid=(?P<pid>\d+) grp=(?P<group>\d+) "
    r"res=(?P<result>\d+)$"
)
VICTIM = re.compile(r"^pid=(?P<pid>\d+)")
UNKNOWN = "<...>"


@dataclasses.dataclass(frozen=True)
class Row:
    """One event: who was running (name and thread), when (the trace's own clock, in seconds), and what it says."""

    comm: str
    thread: int
    t: float
    event: str
    text: str


def parse(line: str) -> Row | None:
    """Return the parts of a line; None where it is no event."""
    match = LINE.match(line)
    if match is None:
        return None
    return Row(match["comm"], int(match["thread"]), float(match["t"]), match["event"], match["text"])


def lost(line: str) -> int:
    """Return how many events a line says were overwritten before they were read; 0 for any other line."""
    match = LOST.search(line)
    return int(match["count"]) if match else 0
