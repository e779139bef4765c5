"""controls.json -> which controls ran, and what each showed; pure."""

from __future__ import annotations

from pathlib import Path

from harness.model import Control
from probes import records

NAME = "controls.json"


def load(path: Path) -> tuple[Control, ...]:
    """Return the controls that ran; none where there is no such file."""
    return tuple(
        Control(row["id"], row["expected"], row["observed"], row["proven"], tuple(row.get("seen", ())))
        for row in (records.read_json(path) or {}).get("controls", ())
        if row.get("missing") is None
    )
