"""exit.json, pressure.jsonl -> processor time that was used, and its limit (the kernel sends SIGXCPU); pure."""

from __future__ import annotations

from harness.facts.folder import TrialFolder
from harness.model import Fact
from probes import records


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `cpu_seconds` (user and system, the children that were waited for among them) and `cpu_limit_seconds`."""
    user, system = folder.exit.get("user_seconds"), folder.exit.get("system_seconds")
    found = []
    if user is not None and system is not None:
        found.append(Fact("cpu_seconds", round(user + system, 3), (folder.key_source(records.EXIT, "user_seconds"),)))
    rows = [row for row in folder.lines(records.PRESSURE).rows if row.value.get("rlimits", {}).get("RLIMIT_CPU")]
    return found + [
        Fact("cpu_limit_seconds", row.value["rlimits"]["RLIMIT_CPU"], (folder.source(records.PRESSURE, row.line),))
        for row in rows[-1:]
    ]
