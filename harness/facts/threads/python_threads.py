"""fault.log -> how many of Python's threads were at work at the fault: two can race without a pool; pure."""

from __future__ import annotations

from harness.facts.crash import faulthandler_text
from harness.facts.crash.frames import Stack
from harness.facts.folder import TrialFolder
from harness.model import Fact
from probes import records

INNERMOST = 3
WAITS = ("start", "join")  # of threading.Thread: for another one to have begun, or ended


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `python_threads_at_work`: those that faulthandler listed, but for those that only wait for another one.

    One that waits for anything else (a queue, an event) may have had its part before.
    """
    log = faulthandler_text.parse(folder.text(records.FAULT_LOG))
    if log is None or not log.threads:
        return []
    working = [stack for stack in log.threads if not _only_waits(stack)]
    source = folder.source(records.FAULT_LOG, log.threads[0].at)
    return [Fact("python_threads_at_work", len(working), (source,))]


def _only_waits(stack: Stack) -> bool:
    innermost = stack.frames[:INNERMOST]
    return any(frame.function in WAITS and (frame.file or "").endswith("threading.py") for frame in innermost)
