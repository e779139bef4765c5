"""inside.jsonl, python_error.json -> what the inside told: torch's version, exceptions, signals forbidden; pure."""

from __future__ import annotations

from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.model import Fact
from probes import records

ERROR_KEYS = ("pid", "type", "message", "thread", "is_main", "errno", "filename", "bases", "chain")


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `torch_version`, `python_error` (one an exception), `own_signals_forbidden`, and `loader_workers`."""
    return _torch(folder) + _errors(folder) + _silenced(folder) + _workers(folder)


def _torch(folder: TrialFolder) -> list[Fact]:
    rows = [row for row in folder.lines(records.INSIDE).rows if row.value.get("event") == "torch"]
    return [Fact("torch_version", row.value["version"], (folder.source(records.INSIDE, row.line),)) for row in rows[:1]]


def _silenced(folder: TrialFolder) -> list[Fact]:
    """Return `own_signals_forbidden`: whether the trial is known to have had no power to send a deadly signal."""
    rows = [row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "own signals forbidden"]
    return [
        Fact("own_signals_forbidden", row.value["applied"], (folder.source(records.INSIDE, row.line),)) for row in rows
    ]


def _workers(folder: TrialFolder) -> list[Fact]:
    """Return `loader_workers`: the most that a DataLoader of any process asked for."""
    own = [folder.path / records.INSIDE, *sorted(folder.path.glob(f"{records.PROCESSES}/*/{records.INSIDE}"))]
    names = [path.relative_to(folder.path).as_posix() for path in own]
    rows = [(name, row) for name in names for row in folder.lines(name).rows]
    asked = [(name, row) for name, row in rows if row.value.get("event") == "loader workers"]
    most = max(asked, key=lambda pair: pair[1].value["asked"], default=None)
    return [Fact("loader_workers", most[1].value["asked"], (folder.source(most[0], most[1].line),))] if most else []


def _errors(folder: TrialFolder) -> list[Fact]:
    """Return those of the process that died first, where it is another than the observed one, before its own."""
    first = first_death.deaths(folder).first
    names = [first.folder + records.PYTHON_ERROR] if first is not None and first.folder else []
    rows = [(name, row) for name in names for row in folder.lines(name).rows if first and row.value["pid"] == first.pid]
    rows += [(records.PYTHON_ERROR, row) for row in folder.own_lines(records.PYTHON_ERROR)]
    return [
        Fact("python_error", {key: row.value.get(key) for key in ERROR_KEYS}, (folder.source(name, row.line),))
        for name, row in rows
    ]
