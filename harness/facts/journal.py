"""journal.jsonl -> which trials were finished, and what is said of the inquest and of the machine; pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from probes import records


def trial_ids(root: Path) -> list[str]:
    """Return the trials that the journal says were finished, in their order."""
    rows = records.read_lines(root / records.JOURNAL).rows
    return [row.value["trial"] for row in rows if row.value["event"] == "trial ended"]


def description(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what evidence.json says of the inquest and of the machine; later lines win."""
    inquest: dict[str, Any] = {"id": root.name, "command": "harness run", "stages": []}
    environment: dict[str, Any] = {}
    is_spent = False
    for row in records.read_lines(root / records.JOURNAL).rows:
        if row.value["event"] == "begin":
            inquest |= row.value["inquest"]
            environment |= row.value["environment"]
        elif row.value["event"] == "stage ended":
            inquest["stages"] = [*inquest["stages"], {"name": row.value["stage"], "seconds": row.value["seconds"]}]
        elif row.value["event"] == "budget spent":
            is_spent = True
        elif row.value["event"] in ("end", "interrupted"):
            inquest |= {
                "ended": row.value["time"],
                "seconds": row.value["seconds"],
                "interrupted": row.value["event"] == "interrupted", "budget_spent": is_spent,
            }  # fmt: skip
            is_spent = False  # what follows is another run, which went on with it
    return inquest, environment
