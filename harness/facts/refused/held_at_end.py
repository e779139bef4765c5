"""at_death.jsonl -> what was in use, and which file had no room, while the process that died was held; pure.

The process is the one that died first, or the observed one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.model import Fact, Source
from probes import records
from probes.records import Row


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `full_file`, the only file open for writing that has no room: {path, free_bytes, free_inodes}."""
    found = {file["path"]: (row, file) for row in rows(folder) for file in row.value.get("files") or ()}
    return [
        Fact("full_file", file, (folder.source(records.AT_DEATH, row.line),))
        for row, file in found.values()
        if len(found) == 1
    ]


def limits(folder: TrialFolder) -> Iterator[tuple[Source, dict[str, Any]]]:
    """Yield (source, {name, limit, used}) of each limit that was looked at then."""
    for row in rows(folder):
        yield from ((folder.source(records.AT_DEATH, row.line), limit) for limit in row.value.get("limits") or ())


def rows(folder: TrialFolder) -> list[Row]:
    """Return the looks at the process whose death is judged."""
    first = first_death.deaths(folder).first
    pid = first.pid if first is not None else folder.exit.get("pid")
    return [row for row in folder.lines(records.AT_DEATH).rows if row.value.get("pid") == pid]
