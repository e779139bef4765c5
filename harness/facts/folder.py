"""One trial's folder, read: spec, exit, record lines, flight ring, and sources relative to the inquest's folder."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from harness.model import Source
from probes import records
from probes.outside.progress.flight import FlightRecord, read_ring


class TrialFolder:
    """Reads each file once; a missing file is an empty one."""

    def __init__(self, root: Path, trial_id: str) -> None:
        """Take the inquest's folder and the trial's id, which is its path under `trials/`."""
        self._prefix = f"trials/{trial_id}"
        self.path = root / self._prefix

    @functools.cached_property
    def spec(self) -> dict[str, Any]:
        """spec.json, or an empty mapping."""
        return records.read_json(self.path / records.SPEC) or {}

    @functools.cached_property
    def exit(self) -> dict[str, Any]:
        """exit.json, or an empty mapping where the supervisor did not get to write it."""
        return records.read_json(self.path / records.EXIT) or {}

    @functools.cache  # noqa: B019 - a folder is read once and thrown away with its cache
    def lines(self, name: str) -> records.Table:
        """Return the whole rows of a record file."""
        return records.read_lines(self.path / name)

    def own_lines(self, name: str) -> list[records.Row]:
        """Return the rows that the observed process itself wrote, not a forked child with its descriptors."""
        return [
            row for row in self.lines(name).rows if row.value.get("pid") == self.exit.get("pid", row.value.get("pid"))
        ]

    def flight(self) -> list[FlightRecord]:
        """Return what the flight ring holds, oldest first."""
        return read_ring(self.path / records.FLIGHT_RING, self.path / records.FLIGHT_NAMES)

    def text(self, name: str) -> str:
        """Return a text file's content; "" where it is missing."""
        path = self.path / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def source(self, name: str, line: int) -> Source:
        """Return where a line of one of this trial's files is."""
        return Source(f"{self._prefix}/{name}", line)

    def key_source(self, name: str, key: str) -> Source:
        """Return where a key of one of this trial's JSON files is."""
        return self.source(name, records.line_of(self.path / name, key))
