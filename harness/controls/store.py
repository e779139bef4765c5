"""controls.json: what is proven on which machine, and when it was shown."""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness import __version__
from harness.controls.score import Score
from harness.launch import (
    environment_record,
    memory_limit,
)
from probes import records

RESULT = "result.json"  # of one worker
SCHEMA = "inquest/controls/1"
LASTS = timedelta(days=1)


def fingerprint() -> dict[str, Any]:
    """Return what the results hold for: machine, versions, interpreter, user and means of confinement."""
    user = os.geteuid() if sys.platform != "win32" else None
    means = memory_limit.kind_here()
    return {
        **environment_record.of_machine(), "node": platform.node(),
        "harness_version": __version__, "executable": sys.executable, "user": user, "confinement": means,
    }  # fmt: skip


def save(path: Path, scores: Sequence[Score], quick: bool) -> None:
    """Write the scores with the machine and the versions that they hold for."""
    here = {"schema": SCHEMA, "written": _now().isoformat(timespec="seconds"), "quick": quick}
    records.write_json(
        path, {**here, "machine": fingerprint(), "controls": [dataclasses.asdict(found) for found in scores]}
    )


def holds(path: Path, ids: Sequence[str]) -> bool:
    """Whether the file tells of these controls, on this machine as it is, and is less than a day old."""
    written = records.read_json(path)
    if written is None or written.get("schema") != SCHEMA or written["machine"] != fingerprint():
        return False
    known = {row["id"] for row in written["controls"]}
    return known.issuperset(ids) and timedelta(0) <= _now() - datetime.fromisoformat(written["written"]) < LASTS


def _now() -> datetime:
    return datetime.now(UTC)
