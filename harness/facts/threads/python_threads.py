"""fault.log, python_stacks.json, inside.jsonl -> how many of Python's own threads there were; pure."""

from __future__ import annotations

from harness.facts.crash import faulthandler_text, pyspy_text
from harness.facts.crash.frames import Stack
from harness.facts.folder import TrialFolder
from harness.model import Fact
from probes import records

HELD = f"{records.NATIVE}/main/python_stacks.json"
INNERMOST = 3
WAITS = ("start", "join")  # of threading.Thread: for another one to have begun, or ended


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `python_threads_at_work`, `python_threads_most`, and `runs_in_turn` where they were asked to."""
    return [*_at_work(folder), *_most(folder), *_in_turn(folder)]


def _in_turn(folder: TrialFolder) -> list[Fact]:
    """Whether each thread ran until it waited, on one core, as the scheduler was told."""
    told = [row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "one core"]
    return [
        Fact("runs_in_turn", bool(row.value.get("in_turn")), (folder.source(records.INSIDE, row.line),))
        for row in told[-1:]
    ]


def _most(folder: TrialFolder) -> list[Fact]:
    """The most that lived at once, by Python's own count, the main thread included; nothing where nobody counted."""
    counted = [row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "threads"]
    most = sorted(counted, key=lambda row: row.value["python_threads"])[-1:]
    return [
        Fact("python_threads_most", row.value["python_threads"], (folder.source(records.INSIDE, row.line),))
        for row in most
    ]


def _at_work(folder: TrialFolder) -> list[Fact]:
    """Those that were there at the fault, but for those that only wait for another one: two can race without a pool.

    One that waits for anything else (a queue, an event) may have had its part before.
    """
    name, threads = _listed(folder)
    if not threads:
        return []
    working = [stack for stack in threads if not _only_waits(stack)]
    return [Fact("python_threads_at_work", len(working), (folder.source(name, threads[0].at),))]


def _listed(folder: TrialFolder) -> tuple[str, tuple[Stack, ...]]:
    """Return the threads that faulthandler listed; where it did not come to it (a broken heap), those of py-spy."""
    log = faulthandler_text.parse(folder.text(records.FAULT_LOG))
    if log is not None and log.threads:
        return records.FAULT_LOG, log.threads
    return HELD, pyspy_text.parse(folder.text(HELD))


def _only_waits(stack: Stack) -> bool:
    innermost = stack.frames[:INNERMOST]
    return any(frame.function in WAITS and (frame.file or "").endswith("threading.py") for frame in innermost)
