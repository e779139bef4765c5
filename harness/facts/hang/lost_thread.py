"""python_error.json, limits.jsonl -> the thread that an exception ended right when nothing moved any more; pure.

What such a thread was to bring never comes. That both came at the same time, in each failure, is no chance.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.model import Fact, Source
from probes import records
from probes.records import Row

LEAST_SECONDS, STEPS = 2.0, 20.0  # what was ready may still be worked off: some steps
MOST_LETTERS = 300


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `error_before_standstill`: {process, thread, type, message, seconds: from the error to the last progress}.

    Nothing where no thread but a main one was ended by an exception at that time.
    """
    stood = [row for row in folder.lines(records.LIMITS).rows if row.value["limit"] == "no progress"][-1:]
    found = [(row, source, stop) for stop in stood for row, source in _errors(folder) if _is_at_once(row, stop)]
    return [
        Fact("error_before_standstill", {
            **{key: row.value.get(key) for key in ("thread", "type")}, "process": row.value.get("pid"),
            "message": str(row.value.get("message"))[:MOST_LETTERS], "seconds": round(_began(stop) - row.value["t"], 3),
        }, (source, folder.source(records.LIMITS, stop.line)))
        for row, source, stop in found[:1]
    ]  # fmt: skip


def _errors(folder: TrialFolder) -> Iterator[tuple[Row, Source]]:
    paths = [folder.path / records.PYTHON_ERROR, *sorted(folder.path.glob(f"processes/*/{records.PYTHON_ERROR}"))]
    for name in (path.relative_to(folder.path).as_posix() for path in paths):
        yield from ((row, folder.source(name, row.line)) for row in folder.lines(name).rows if "t" in row.value)


def _began(stop: Row) -> float:
    """Return when the last progress was seen."""
    return float(stop.value["t"] - stop.value["idle_seconds"])


def _is_at_once(error: Row, stop: Row) -> bool:
    allowed = max(LEAST_SECONDS, STEPS * (stop.value.get("median_step_seconds") or 0.0))
    return not error.value.get("is_main") and abs(_began(stop) - error.value["t"]) <= allowed
