"""fault.log, inside.jsonl -> how many threads Python knew at the fault: two can race without a pool; pure."""

from __future__ import annotations

from harness.facts.crash import faulthandler_text
from harness.facts.folder import TrialFolder
from harness.model import Fact
from probes import records


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `python_threads`: those that faulthandler listed at the fault; else those last counted from inside."""
    log = faulthandler_text.parse(folder.text(records.FAULT_LOG))
    if log is not None and log.threads:
        return [Fact("python_threads", len(log.threads), (folder.source(records.FAULT_LOG, log.threads[0].at),))]
    told = [row for row in folder.own_lines(records.INSIDE) if row.value.get("python_threads")]
    return [
        Fact("python_threads", row.value["python_threads"], (folder.source(records.INSIDE, row.line),))
        for row in told[-1:]
    ]
