"""refusals.jsonl -> whether a trial's refusals were recorded, whole, so that their absence says something; pure."""

from __future__ import annotations

from harness.facts.folder import TrialFolder
from harness.model import Fact
from probes import records


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `refusals_watched`: False where rows of the trace were lost; nothing where there was none."""
    rows = folder.lines(records.REFUSALS).rows
    began = [row for row in rows if row.value.get("event") == "watching"]
    lost = any(row.value.get("event") == "lost" for row in rows)
    return [Fact("refusals_watched", not lost, (folder.source(records.REFUSALS, row.line),)) for row in began[:1]]
