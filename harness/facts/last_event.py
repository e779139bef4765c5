"""The flight ring -> where in its model and its step a process was last; pure."""

from __future__ import annotations

from harness.model import LastEvent
from probes.outside.progress.flight import FlightRecord

PHASES = {
    "start": "start-up", "torch": "after import of torch", "epoch": "data loading", "data": "data loading",
    "batch": "after data loading", "enter": "forward", "leave": "forward", "backward": "backward",
    "backward_end": "after backward", "optimizer": "optimizer step",
    "step": "after optimizer step", "end": "finalization",
}  # fmt: skip


def last_event(flight: list[FlightRecord]) -> LastEvent | None:
    """Return the point of death: the innermost module that was entered and not left, else the last record's phase."""
    if not flight:
        return None
    newest = flight[-1]
    if newest.kind == "leave" and newest.depth > 0:
        newest = _enclosing(flight, newest)
    inside = newest.kind == "enter"
    phase = "forward" if inside else "after forward" if newest.kind == "leave" else PHASES.get(newest.kind, newest.kind)
    return LastEvent(
        epoch=newest.epoch or None, step=newest.step or None, phase=phase,
        module=newest.name if inside else None, call=newest.call if inside else None,
    )  # fmt: skip


def _enclosing(flight: list[FlightRecord], left: FlightRecord) -> FlightRecord:
    """Return the entry of the module around one that was just left (same thread, one level up)."""
    outer = (
        row
        for row in reversed(flight)
        if row.thread == left.thread and row.kind == "enter" and row.depth == left.depth - 1
    )
    return next(outer, left)
