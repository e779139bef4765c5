"""The two instants that direct evidence is told against: the trial's start, and its first death; pure."""

from __future__ import annotations

from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from probes import records


def start(folder: TrialFolder) -> float:
    """Return when the trial began, on the monotonic clock; by exit.json, or else by the probes' own first rows."""
    if "started_monotonic" in folder.exit:
        return float(folder.exit["started_monotonic"])
    rows = [row.value for name in (records.REFUSALS, records.SIGNALS) for row in folder.lines(name).rows]
    begun = [row["t"] - row["since_launch_seconds"] for row in rows if row.get("event") == "watching"]
    return min(begun, default=float(folder.spec.get("started_monotonic", 0.0)))


def end(folder: TrialFolder) -> float | None:
    """Return when the first process of the trial died, or when the trial ended well; None where nobody saw it end."""
    if not folder.exit:
        return None
    first = first_death.deaths(folder).first
    over = float(folder.exit.get("started_monotonic", 0.0)) + float(folder.exit.get("seconds", 0.0))
    return min(first.began, over) if first is not None else over


def before(instant: float, ended: float | None) -> float | None:
    """Return the seconds from an instant to the end; negative where it came after it."""
    return None if ended is None else round(ended - instant, 4) + 0.0  # never "-0.0"
