"""The folder of an inquest: made under a name that is free, with the plan as it was resolved."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from harness.plan.plan_file import Plan
from probes import records


def make_folder(out: Path, name: str) -> Path:
    """Make a new folder under `out`, named after what it is for and the time; never one that exists."""
    stem = f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 100)))
    root = next(out / candidate for candidate in names if not (out / candidate).exists())
    root.mkdir(parents=True)
    return root


def save_plan(root: Path, plan: Plan, once: bool, path: Path) -> None:
    """Write the plan as it was resolved into the inquest's folder, for the reader and for resuming."""
    text = yaml.safe_dump({"plan_file": str(path.resolve()), "once": once, "plan": dict(plan.source)}, sort_keys=False)
    (root / records.PLAN).write_text(text, encoding="utf-8")
