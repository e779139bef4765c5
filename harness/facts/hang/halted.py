"""halted.jsonl -> which processes of a trial something held still from outside, and what; pure."""

from __future__ import annotations

from typing import Any

from harness.facts.folder import TrialFolder
from harness.model import Fact
from probes import records

UNKILLABLE = "cannot be killed"  # the limit that exit.json names where SIGKILL did not end the process


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `halted` for each process, as its last row tells it, the observed process first."""
    last = {row.value["pid"]: row for row in folder.lines(records.HALTED).rows}
    ordered = sorted(last.values(), key=lambda row: (row.value["pid"] != folder.exit.get("pid"), row.line))
    return [
        Fact("halted", {**row.value, "words": words(row.value)}, (folder.source(records.HALTED, row.line),))
        for row in ordered
    ]


def words(row: dict[str, Any]) -> str:
    """Say what holds the process still, and how that shows."""
    waits = f", waits in {row['wchan']}" if row.get("wchan") not in (None, "", "0") else ""
    return f"process {row['pid']} ({row.get('name')}) {_what(row)}; state {row['state']}{waits}"


def _what(row: dict[str, Any]) -> str:
    if row["kind"] == "frozen":
        return f"is in a frozen control group ({row['group']})"
    if row["kind"] == "stopped":
        return "was stopped by a signal, and nobody has let it go on"
    if row["kind"] == "traced":
        return f"is held by its tracer, process {row['tracer']} ({row['tracer_name']})"
    return "is in uninterruptible sleep: a device or a file system does not answer"
