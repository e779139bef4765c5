"""Which process of a trial does the training: the observed one or, where it only launches others, one of them; pure."""

from __future__ import annotations

from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from probes import records
from probes.outside.progress.flight import FlightRecord, read_ring

WORK = ("enter", "leave", "backward", "optimizer", "step")
MOST_READ = 32


def place(folder: TrialFolder, flight: list[FlightRecord]) -> str:
    """Return the folder, within the trial's, of the process whose records tell the training: "" for the observed one.

    Where that has done no step and no forward of its own, it is the process that died first, else the one that has got
    furthest.
    """
    if any(row.kind in WORK for row in flight):
        return ""
    names = [
        f"{records.PROCESSES}/{path.parent.name}/" for path in sorted(folder.path.glob("processes/*/process.json"))
    ]
    rings = {name: flight_of(folder, name) for name in names[:MOST_READ]}
    working = {name: rows for name, rows in rings.items() if any(row.kind in WORK for row in rows)}
    first = first_death.deaths(folder).first if working else None
    if first is not None and first.folder in working:
        return first.folder
    return max(working, key=lambda name: (working[name][-1].done, working[name][-1].step), default="")


def flight_of(folder: TrialFolder, name: str) -> list[FlightRecord]:
    """Return what the ring of one process holds, oldest first."""
    path = folder.path / name
    return read_ring(path / records.FLIGHT_RING, path / records.FLIGHT_NAMES)
