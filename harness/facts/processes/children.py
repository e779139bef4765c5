"""children.jsonl of every process -> what parents started and how it ended, tools included; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from harness.facts.folder import TrialFolder
from harness.model import Source
from probes import records


@dataclasses.dataclass(frozen=True)
class Child:
    """What its parent knows of a process: the command it was started by (None for a fork), its status, and when.

    `t` is when the parent was given the status, in seconds of the monotonic clock; None while it was not.
    """

    pid: int
    parent: int
    command: str | None
    code: int | None
    signal: int | None
    t: float | None
    sources: tuple[Source, ...]


def read(folder: TrialFolder, places: Iterable[str]) -> dict[int, Child]:
    """Return all children by process id, of the processes whose folders (within the trial's) these are."""
    found: dict[int, Child] = {}
    for place in places:
        name = place + records.CHILDREN
        for row in folder.lines(name).rows:
            value, source = row.value, folder.source(name, row.line)
            pid = value.get("child")
            if value["event"] == "started" and isinstance(pid, int):
                found[pid] = Child(pid, value["pid"], value.get("command"), None, None, None, (source,))
            elif isinstance(pid, int):
                begun = found.get(pid)
                command, sources = (begun.command, begun.sources) if begun and begun.t is None else (None, ())
                told = (value.get("code"), value.get("signal"), value["t"], (source, *sources))
                found[pid] = Child(pid, value["pid"], command, *told)
    return found
