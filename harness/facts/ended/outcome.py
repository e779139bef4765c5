"""How a trial ended: exit, outcome, and the facts that tell a completed run from one that only looks so."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from harness.facts.ended import early_end, exit_calls, ntstatus
from harness.facts.folder import TrialFolder
from harness.facts.hang import halted
from harness.model import EndedBy, Exit, Fact, Outcome
from probes import records
from probes.outside.progress.flight import FlightRecord

SIGNALS = {
    "SIGSEGV": "invalid memory access (SIGSEGV)",
    "SIGBUS": "access to memory that the file or device behind it does not have (SIGBUS)",
    "SIGFPE": "arithmetic fault, most often an integer division (SIGFPE)",
    "SIGILL": "an instruction that this processor does not have (SIGILL)",
    "SIGABRT": "the program aborted itself: a failed check, terminate, or heap damage found (SIGABRT)",
    "SIGTRAP": "a trap instruction: a compiler's unreachable code or a breakpoint (SIGTRAP)",
    "SIGSYS": "a system call that the sandbox forbids (SIGSYS)",
    "SIGKILL": "killed from outside (SIGKILL): by a person, a supervisor or the OOM killer; the signal does not tell",
    "SIGTERM": "asked to end from outside (SIGTERM)",
    "SIGHUP": "its terminal or session went away (SIGHUP)",
    "SIGINT": "interrupted (SIGINT)",
    "SIGXCPU": "its CPU time limit was reached (SIGXCPU)",
    "SIGXFSZ": "its file size limit was reached (SIGXFSZ)",
    "SIGPIPE": "wrote to a pipe that nobody reads (SIGPIPE)",
}
SURVIVED = "survived"
ABORTED = "Fatal Python error: Aborted"
IN_SHUTDOWN = "finished, then died in shutdown"
MID_STEP = ("enter", "backward", "optimizer")


@dataclasses.dataclass(frozen=True)
class Ending:
    """What the records say of a trial's end."""

    outcome: Outcome
    exit: Exit
    facts: tuple[Fact, ...]


def judge(folder: TrialFolder, flight: list[FlightRecord], done: int | None = None) -> Ending:
    """Return how the trial ended; pure. Only exits.jsonl can know that the program sent itself the signal.

    `done`: the steps that were done, where another process than the observed one does them.
    """
    steps = done if done is not None else flight[-1].done if flight else 0
    record, sent, asked = folder.exit, exit_calls.own_signal(folder), early_end.orderly(folder)
    ended_by = EndedBy(record.get("ended_by", "itself"))
    by_itself = sent is not None and ended_by is EndedBy.OUTSIDE
    words = _sent_meaning(folder, sent[0].value) if sent and by_itself else meaning(record, folder.spec)
    exit_ = Exit(
        code=record.get("code"), signal=record.get("signal"), ntstatus=_ntstatus(folder),
        meaning=f"{_finished(folder, flight)}{_orderly_meaning(asked) if asked and not by_itself else words}",
        ended_by=EndedBy.ITSELF if by_itself else EndedBy.OUTSIDE if asked else ended_by,
    )  # fmt: skip
    return Ending(_outcome(folder, flight, steps), exit_, _facts(folder))


def _finished(folder: TrialFolder, flight: list[FlightRecord]) -> str:
    """Say first that the work was done, where it was: nobody is to look for such a death in the training."""
    late = next(exit_calls.late(folder), None)
    return "" if late is None or _in_a_step(flight) else f"{IN_SHUTDOWN} ({late.value['phase']}): "


def _sent_meaning(folder: TrialFolder, sent: dict[str, Any]) -> str:
    """Say that a signal that looks as if it came from outside was sent by the program."""
    who = "the program itself" if sent["pid"] == folder.exit["pid"] else f"its own child process {sent['pid']}"
    return f"{sent['signal']}, sent by {who} ({sent['call']})"


def _orderly_meaning(asked: dict[str, Any]) -> str:
    """Say that the program ended in an orderly way because it was asked to."""
    file, line, _ = asked["place"] or ("?", "?", "")
    return f"asked to end by {asked['signal']}, whose handler called {asked['call']}({asked['code']}) at {file}:{line}"


def meaning(record: dict[str, Any], spec: Mapping[str, Any] | None = None) -> str:
    """Say in words what an exit record says, and no more than it says; the spec tells what was asked of the trial."""
    if not record:
        return "not known: the supervisor did not see the end"
    if record.get("ended_by") == EndedBy.HARNESS and record.get("limit") == SURVIVED:
        return f"alive and well after {(spec or {}).get('survive') or 'the time asked'}, and ended there by the harness"
    if record.get("limit") == halted.UNKILLABLE:
        return f"hung: cannot be killed: {'; '.join(map(halted.words, record['halted'])) or record['pid']}"
    if record.get("ended_by") == EndedBy.HARNESS:
        return f"ended by the harness at the limit: {record.get('limit')}"
    if record.get("signal"):
        return SIGNALS.get(record["signal"], f"ended by {record['signal']}")
    if record.get("ntstatus") or record.get("system") == "win32":
        return ntstatus.meaning(record["code"])
    code = record.get("code")
    if code == 0:
        return "exit code 0"
    looks_like = f"; a plain code, not signal {code - 128}" if isinstance(code, int) and 128 < code < 160 else ""
    return f"exit code {code}{looks_like}"


def _ntstatus(folder: TrialFolder) -> str | None:
    """Return the Windows status; abort() ends with 0xC0000409, and our crash handler makes exit code 3 of it."""
    record = folder.exit
    aborted = record.get("system") == "win32" and record.get("code") == 3 and ABORTED in folder.text(records.FAULT_LOG)
    return "0xC0000409" if aborted else record.get("ntstatus")


def _outcome(folder: TrialFolder, flight: list[FlightRecord], steps: int) -> Outcome:
    record = folder.exit
    if not record:
        return Outcome.UNRESOLVED
    if record["ended_by"] == EndedBy.HARNESS:
        return {
            "no progress": Outcome.HUNG,
            halted.UNKILLABLE: Outcome.HUNG,
            "steps": Outcome.STOPPED,
            "memory": Outcome.STOPPED,
            SURVIVED: Outcome.STOPPED,
        }.get(record["limit"], Outcome.UNRESOLVED)
    if record["signal"] or record["code"] != 0 or early_end.orderly(folder):
        return Outcome.DIED
    if not folder.spec.get("inside_probes", True):
        return Outcome.COMPLETED  # with the inside probes off, the exit code is all there is
    return Outcome.COMPLETED if _has_finished(folder, flight, steps) else Outcome.DIED


def _has_finished(folder: TrialFolder, flight: list[FlightRecord], steps: int) -> bool:
    """A completed run is known by its last records: exit code 0 alone is not enough.

    The main program must have ended (returned, or sys.exit outside of a step), no thread may have died, the interpreter
    must have got to its finalization, and the expected steps must be done.
    """
    if exit_calls.was_replaced(folder):
        return True  # by a program of which only the exit code is known
    calls = exit_calls.calls(folder)
    early, left = early_end.early_call(folder) is not None, early_end.is_last_words(early_end.last_call(folder))
    ended = left or "end of main" in calls or ("sys.exit" in calls and not _in_a_step(flight))
    threads_well = "SystemExit in thread" not in calls and not folder.own_lines(records.PYTHON_ERROR)
    enough = steps >= (folder.spec.get("expect_steps") or 0)
    whole = left or ("os._exit" not in calls and "atexit" in calls)
    return ended and threads_well and enough and whole and not early


def _in_a_step(flight: list[FlightRecord]) -> bool:
    """Whether the last record before the finalization lies inside a forward, a backward or an optimizer step."""
    before_end = [row for row in flight if row.kind != "end"]
    return bool(before_end) and (
        before_end[-1].kind in MID_STEP or (before_end[-1].kind == "leave" and before_end[-1].depth > 0)
    )


def _facts(folder: TrialFolder) -> tuple[Fact, ...]:
    named = (
        ("duration_seconds", "seconds"), ("left_behind", "left_behind"), ("not_ended", "not_ended"),
    )  # fmt: skip
    return tuple(
        Fact(name, folder.exit[key], (folder.key_source(records.EXIT, key),))
        for name, key in named
        if folder.exit.get(key)
    )
