"""The trial's copy of the target's configuration -> what it asks for that interventions can change; pure."""

from __future__ import annotations

import yaml

from harness.facts.folder import TrialFolder
from harness.model import Fact

COPY = "config.yaml"
WORKERS = "num_workers"


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `num_workers`, the data loader's processes, where the configuration has a key of that name."""
    text = folder.text(COPY)
    loaded = yaml.safe_load(text) if text else None
    value = loaded.get(WORKERS) if isinstance(loaded, dict) else None
    line = next((number for number, row in enumerate(text.splitlines(), 1) if row.startswith(f"{WORKERS}:")), 1)
    return [Fact("num_workers", value, (folder.source(COPY, line),))] if isinstance(value, int) else []
