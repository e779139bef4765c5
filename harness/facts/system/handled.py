"""handled.jsonl, signals.jsonl -> which signals a process has handlers for, and which of them reached it near its end.

Pure. A signal that is handled ends nobody: without this an exit status alone says that there was none.
"""

from __future__ import annotations

from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.facts.system import senders
from harness.model import Fact
from probes import records
from probes.records import Row

LAST_SECONDS = 10.0
FAULTS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP")  # the inside probes' own handlers
NOT_DEADLY = ("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGTSTP", "SIGTTIN", "SIGTTOU")
BY_TORCH = "SIGUSR2"  # torch's crash handler asks every thread for its stack by it: c10/util/signal_handler.cpp


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `signals_handled` of the process whose death is judged, and one `signal_handled` for each that reached it.

    The first: {pid, handled, is_watched, signal}; `is_watched`: whether a signal that was sent would have been seen;
    `signal`: the one that ended it. The second is as `signal_delivered`, of those in the last seconds that did not.
    """
    pid, signal = _judged(folder)
    row = next((row for row in reversed(folder.lines(records.HANDLED).rows) if row.value["pid"] == pid), None)
    if row is None:
        return []
    names = [name for name in row.value["handled"] if _is_told(folder, name)]
    value = {"pid": pid, "handled": names, "is_watched": _is_watched(folder), "signal": signal}
    told = [Fact("signals_handled", value, (folder.source(records.HANDLED, row.line),))] if names else []
    return [*told, *_reached(folder, pid, names, row)]


def _reached(folder: TrialFolder, pid: int, names: list[str], row: Row) -> list[Fact]:
    here = folder.source(records.HANDLED, row.line)
    sent = (fact for fact in senders.facts(folder) if fact.value["target"] == pid and fact.value["signal"] in names)
    return [
        Fact("signal_handled", fact.value, (*fact.sources, here))
        for fact in sent
        if not fact.value["ends"] and fact.value["by"] != senders.HARNESS and _is_late(fact.value)
    ]


def _is_late(sent: dict[str, float | None]) -> bool:
    before = sent["before_death_seconds"]
    return before is not None and 0.0 <= before <= LAST_SECONDS


def _judged(folder: TrialFolder) -> tuple[int, str | None]:
    """Return the process whose death is judged, and the signal that ended it."""
    first = first_death.deaths(folder).first
    return (first.pid, first.signal) if first is not None else (folder.exit.get("pid", 0), folder.exit.get("signal"))


def _is_told(folder: TrialFolder, name: str) -> bool:
    """Whether a handler is the program's own business: not the probes', not torch's for its stacks."""
    is_torch = any(row.value.get("event") == "torch" for row in folder.lines(records.INSIDE).rows)
    is_ours = name in FAULTS or name.startswith(("SIGRT", "signal "))
    return not is_ours and name not in NOT_DEADLY and not (name == BY_TORCH and is_torch)


def _is_watched(folder: TrialFolder) -> bool:
    events = [row.value.get("event") for row in folder.lines(records.SIGNALS).rows]
    return "watching" in events and "lost" not in events
