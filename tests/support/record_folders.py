"""Writes trial folders as a real trial would have left them, for the pure half of the product."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.facts import reading as facts
from harness.facts.folder import TrialFolder
from harness.model import Trial
from probes import records

ID = "threads=2/1"
EXIT: Mapping[str, Any] = {
    "system": "linux", "pid": 77, "code": 0, "signal": None, "ntstatus": None, "ended_by": "itself",
    "limit": None, "core": False, "max_rss_bytes": 5000, "user_seconds": 1.0, "system_seconds": 0.5, "left_behind": [],
    "started": "2026-01-02T10:11:12.000+00:00", "started_monotonic": 10.0,
    "ended": "2026-01-02T10:11:14.000+00:00", "seconds": 2.0,
}  # fmt: skip
SPEC: Mapping[str, Any] = {
    "trial": ID, "factors": {"threads": 2}, "interventions": [], "inside_probes": True, "expect_steps": None,
    "limits": {"wall_seconds": None, "no_progress_seconds": None, "memory_bytes": None, "steps": None},
}  # fmt: skip
CAPACITY = 64
RECORD = struct.Struct("<dHHIIIIIIQ")
KINDS = (
    "none", "start", "torch", "epoch", "data", "batch", "enter", "leave", "backward", "backward_end",
    "optimizer", "step", "end",
)  # fmt: skip
HEADER = json.dumps({
    "magic": "inquest flight ring 1", "format": RECORD.format, "capacity": CAPACITY, "kinds": KINDS,
    "fields": ["t", "kind", "depth", "name", "step", "call", "epoch", "thread", "done", "sequence"],
    "header_bytes": 1024, "record_bytes": RECORD.size, "pid": 77,
})  # fmt: skip
FINISHED = ("end of main", "atexit")


class Records:
    """One trial's folder in the making; every method returns it for the next."""

    def __init__(self, root: Path) -> None:
        """Make the folder, with spec.json."""
        self.root = root
        self.path = root / "trials" / ID
        self.path.mkdir(parents=True, exist_ok=True)
        self.spec()

    def spec(self, **changes: object) -> Records:
        """Write spec.json."""
        records.write_json(self.path / records.SPEC, {**SPEC, **changes})
        return self

    def exit(self, **changes: object) -> Records:
        """Write exit.json."""
        records.write_json(self.path / records.EXIT, {**EXIT, **changes})
        return self

    def environment(self, **keys: object) -> Records:
        """Write environment.json."""
        records.write_json(self.path / records.ENVIRONMENT, keys)
        return self

    def lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> Records:
        """Append lines to a record file."""
        for row in rows:
            records.append(self.path / name, row)
        return self

    def calls(self, *calls: str, pid: int = 77, **keys: object) -> Records:
        """Append exits."""
        rows = [{"pid": pid, "call": call, "code": 0, "thread": "MainThread", "stack": [], **keys} for call in calls]
        return self.lines(records.EXITS, rows)

    def flight(self, *rows: tuple[Any, ...], done: int = 0) -> Records:
        """Write the flight ring: (kind, depth, name, step, call, epoch), shorter rows filled with zeros."""
        names = [""]
        slots = bytearray(CAPACITY * RECORD.size)
        for number, (kind, *rest) in enumerate(rows, 1):
            depth, name, step, call, epoch = (*rest, *(0, "", 0, 0, 0)[len(rest) :])
            names += [] if name in names else [name]
            values = (float(number), KINDS.index(kind), depth, names.index(name), step, call, epoch, 7, done, number)
            RECORD.pack_into(slots, number * RECORD.size, *values)
        (self.path / records.FLIGHT_RING).write_bytes(HEADER.encode().ljust(1024, b"\n") + slots)
        (self.path / records.FLIGHT_NAMES).write_text("".join(f"{name}\n" for name in names))
        return self

    def text(self, name: str, text: str) -> Records:
        """Write a text file."""
        (self.path / name).write_text(text, encoding="utf-8", newline="")
        return self

    def read(self) -> Trial:
        """Read the trial."""
        return facts.read(self.root, ID)

    def folder(self) -> TrialFolder:
        """Return the folder for the readers of single records."""
        return TrialFolder(self.root, ID)
