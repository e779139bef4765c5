"""An end that the program asked for before its work was done, or that a signal asked of it; pure.

`sys.exit(0)` in the middle of an epoch leaves the same code as one at the end. It is early where a model was in
training mode, an optimizer had stepped, and the call stands in a loop, in a function that is not called by the main
program's last statement, or in the handling of an error that was raised in a loop. It is orderly where a handler of a
signal made it, which came from outside.
"""

from __future__ import annotations

from typing import Any

from harness.facts.ended import exit_calls
from harness.facts.folder import TrialFolder
from harness.model import Fact, Source
from probes import records
from probes.records import Row

CALLS = ("sys.exit", "os._exit", "SystemExit in thread")
FLAGGED = ("SIGTERM", "SIGHUP", "SIGXCPU")  # which ask for the end, and for nothing else
SOON_SECONDS = 30.0  # from the signal to the end that it asked for: a step is done, a checkpoint is written
ASKING = ("SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGQUIT")


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `orderly_end`, and `early_end`: where the program asked to end in the middle of training."""
    asked, early = orderly(folder), early_call(folder)
    found = [Fact("orderly_end", asked, (_source(folder, last_call(folder)),))] if asked else []
    return found + ([Fact("early_end", _told(early), (_source(folder, early),))] if early and not asked else [])


def last_call(folder: TrialFolder) -> Row | None:
    """Return the last call by which the observed process asked to end."""
    return next((row for row in reversed(exit_calls.endings(folder)) if row.value["call"] in CALLS), None)


def early_call(folder: TrialFolder) -> Row | None:
    """Return the call that ended the program in the middle of its training, None where there is none."""
    row = last_call(folder)
    return row if row is not None and _is_in_training(row.value) and is_early(row.value) else None


def orderly(folder: TrialFolder) -> dict[str, Any] | None:
    """Return {signal, call, code, place} where a handler of a signal that the program did not send itself ended it."""
    row = last_call(folder) or _end_of_main(folder)
    name = (row.value.get("handler") or _sent_before(folder, row.value)) if row is not None else None
    if row is None or name not in ASKING or folder.exit.get("signal") or _is_own(folder, str(name), row.value):
        return None
    return {"signal": name, **_told(row)}


def _end_of_main(folder: TrialFolder) -> Row | None:
    return next((row for row in exit_calls.endings(folder) if row.value["call"] == "end of main"), None)


def _sent_before(folder: TrialFolder, call: dict[str, Any]) -> str | None:
    """Return the signal that a stranger sent right before an end that no handler made: it sets a flag that is asked."""
    pid, t = folder.exit.get("pid"), call.get("t", 0.0)
    rows = [row.value for row in folder.lines(records.SIGNALS).rows if row.value.get("event") == "sent"]
    asked = [row for row in rows if row["target"] == pid and row["by"] == "stranger" and row["signal"] in FLAGGED]
    return next((row["signal"] for row in asked if 0.0 <= t - row["t"] <= SOON_SECONDS), None)


def is_last_words(row: Row | None) -> bool:
    """Whether `os._exit(0)` was called as the last thing that the main program does: its work is done."""
    value = row.value if row is not None else {}
    is_final = bool(value.get("is_last")) and not value.get("in_loop") and not value.get("handler")
    return is_final and value.get("call") == "os._exit" and value.get("code") == 0


def _is_in_training(value: dict[str, Any]) -> bool:
    training = value.get("training") or {}
    return bool(training.get("trains")) and training.get("steps", 0) > 0


def is_early(value: dict[str, Any]) -> bool:
    """Whether a recorded call stands in a loop, or below a statement of the main program that others follow."""
    is_deep = value.get("depth", 0) > 1 and not value.get("is_last")
    swallows = (value.get("swallowed") or {}).get("in_loop")
    return bool(value.get("in_loop")) or is_deep or bool(swallows)


def _is_own(folder: TrialFolder, name: str, call: dict[str, Any]) -> bool:
    """Whether the program had the signal sent to itself: by a call, or by a timer that it set."""
    pid, until = folder.exit.get("pid"), call.get("t", float("inf"))
    rows = [row.value for row in exit_calls.endings(folder)]
    return any(
        row["call"] in exit_calls.SIGNAL_CALLS and row.get("signal") == name and row.get("t", 0.0) <= until
        and abs(row.get("target") or 0) == pid
        for row in rows
    )  # fmt: skip


def _told(row: Row | None) -> dict[str, Any]:
    value = row.value if row is not None else {}
    return {key: value.get(key) for key in ("call", "code", "thread", "place")}


def _source(folder: TrialFolder, row: Row | None) -> Source:
    return folder.source(records.EXITS, row.line if row is not None else 1)
