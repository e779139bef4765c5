"""signals.jsonl, native/*/fault.json -> who sent the target each deadly signal, and whether it ended it; pure.

The kernel's trace tells of every signal; the siginfo of a held one tells where there was no trace. That a signal was
sent is no death: `ends` says that the process did end by a signal of that number, soon after this one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from harness.facts.ended import exit_calls
from harness.facts.ended.signal_names import signal_name
from harness.facts.folder import TrialFolder
from harness.facts.processes import ends as process_ends
from harness.facts.system import clock
from harness.model import Fact, Source
from probes import records
from probes.records import Row

KERNEL, OOM_KILLER, ITSELF, TREE, HARNESS, STRANGER = "kernel", "oom-killer", "itself", "tree", "harness", "stranger"
DETACHED = "detached"  # of the tree by birth, in a session of its own
SENT_BY_CALL = (0, -1, -6)  # SI_USER, SI_QUEUE, SI_TKILL
LATEST_SECONDS = 20.0  # from a signal to the end: a crash is held, memory is torn down
SAME_SECONDS = 1.0  # the kernel marks its victim right after the signal
NOTICED_SECONDS = 0.25  # the end may be seen a little before the signal's row, by two clocks
MAIN = "main"
BOOT = re.compile(r"\S*[/\\]probes[/\\]inside[/\\]boot\.py \S+ (?:.*? )??-- ")


class Delivered(NamedTuple):
    """One signal on its way: when, on the monotonic clock; what the fact says of it; where it can be read."""

    t: float
    value: dict[str, Any]
    sources: tuple[Source, ...]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `signal_delivered` for each signal sent to a process of the tree, in the order of their times.

    Its value: `signal`, `target`, `sender` (None: not a process), `sender_command`, `sender_user`, `by` (`kernel`,
    `oom-killer`, `itself`, `tree`, `detached`, `harness`, `stranger`), `code` (si_code), `at_seconds` since the trial's
    start, `before_death_seconds` (negative: after the first death), `ends`; of a stranger `parent_command` too, where
    known, and `limits` where the kernel killed at one.
    """
    traced = list(_traced(folder))
    known = {(one.value["target"], one.value["signal"]) for one in traced}
    held = [
        one for one in (*_held(folder), *_detached(folder)) if (one.value["target"], one.value["signal"]) not in known
    ]
    found = sorted([*traced, *held], key=lambda one: one.t)
    start, end, fatal = clock.start(folder), clock.end(folder), _fatal(folder, found)
    return [
        Fact("signal_delivered", {
            **one.value, "at_seconds": round(one.t - start, 4), "before_death_seconds": clock.before(one.t, end),
            "ends": one in fatal,
        }, one.sources)
        for one in found
    ]  # fmt: skip


def is_by_another(folder: TrialFolder, signal: str) -> bool:
    """Whether a process of the tree died of this signal, sent by another process: where it strikes is chance."""
    ends = (fact.value for fact in facts(folder) if fact.value["ends"] and fact.value["signal"] == signal)
    return any(value["by"] in (TREE, DETACHED, STRANGER) for value in ends)


def _traced(folder: TrialFolder) -> Iterator[Delivered]:
    rows = folder.lines(records.SIGNALS).rows
    victims = [row for row in rows if row.value.get("event") == "oom victim"]
    for row in rows:
        if row.value.get("event") == "sent":
            marks = [mark for mark in victims if _marks(mark, row)]
            sources = tuple(folder.source(records.SIGNALS, one.line) for one in (row, *marks[:1]))
            yield Delivered(row.value["t"], _value(row.value, OOM_KILLER if marks else row.value["by"]), sources)


def _marks(mark: Row, row: Row) -> bool:
    """Whether the kernel named the target its victim when it sent this."""
    is_kill = row.value["signal"] == "SIGKILL" and row.value["by"] == KERNEL
    apart = abs(float(mark.value["t"]) - float(row.value["t"]))
    return is_kill and bool(mark.value["target"] == row.value["target"]) and apart <= SAME_SECONDS


def _value(row: dict[str, Any], by: str) -> dict[str, Any]:
    parent = {"parent_command": _as_started(row["parent_command"])} if row.get("parent_command") else {}
    return {
        "signal": row["signal"], "target": row["target"], "sender": row.get("sender"),
        "sender_command": _as_started(row.get("sender_command")) or row.get("sender_name"),
        "sender_user": row.get("sender_user"),
        "by": by, "code": row.get("code"), **parent, **({"limits": row["limits"]} if row.get("limits") else {}),
    }  # fmt: skip


def _as_started(command: str | None) -> str | None:
    """Return a command line as it was before it was led through the boot, which is nobody's but ours."""
    return BOOT.sub("", command) if command else None


def _held(folder: TrialFolder) -> Iterator[Delivered]:
    """Yield what the siginfo of each held signal says; reports from before it was kept have none."""
    for path in sorted(folder.path.glob(f"{records.NATIVE}/*/{records.FAULT}")):
        record = records.read_json(path) or {}
        if record.get("si_code") is not None:
            name = path.relative_to(folder.path).as_posix()
            pid, sender = record["pid"], record.get("si_pid")
            row = {
                "signal": record["signal"], "target": pid, "sender": sender, "code": record["si_code"],
                "sender_command": record.get("sender_command"), "sender_user": _user(record.get("si_uid")),
            }  # fmt: skip
            value = _value(row, _relation(folder, record["si_code"], sender, pid))
            yield Delivered(record["t"], value, (folder.key_source(name, "si_code"),))


def _detached(folder: TrialFolder) -> Iterator[Delivered]:
    """Yield what a process sent that the target started, and that went its own way, by its own record."""
    for row, source in exit_calls.detached(folder):
        born = records.read_json(folder.path / records.PROCESSES / str(row.value["pid"]) / records.PROCESS) or {}
        value = {"signal": row.value["signal"], "target": row.value["target"], "sender": row.value["pid"]}
        value["sender_command"] = " ".join(map(str, born.get("command") or ())) or None
        yield Delivered(row.value["t"], _value(value, DETACHED), (source,))


def _relation(folder: TrialFolder, code: int, sender: int | None, target: int) -> str:
    if code not in SENT_BY_CALL:
        return KERNEL
    if sender == target:
        return ITSELF
    if sender == folder.spec.get("supervisor"):
        return HARNESS
    return TREE if sender in _pids(folder) else STRANGER


def _user(number: int | None) -> str | None:
    return None if number is None else "root" if number == 0 else f"user {number}"


def _pids(folder: TrialFolder) -> set[int]:
    return {end.pid for end in process_ends.read(folder)} | {pid for pid, _, _ in _children(folder)}


def _fatal(folder: TrialFolder, found: list[Delivered]) -> list[Delivered]:
    """Return of each process' signals the one that it died of."""
    died = _deaths(folder)
    chosen = (_last(folder, [one for one in found if _may_end(one, died)], pid) for pid in died)
    return [one for one in chosen if one is not None]


def _last(folder: TrialFolder, found: list[Delivered], pid: int) -> Delivered | None:
    """Return the last; of a process that was held, what held it: what follows is its handlers' and our own doing."""
    mine = [one for one in found if one.value["target"] == pid]
    held = _fault_time(folder, pid)
    first = [one for one in mine if held is not None and one.t <= held + NOTICED_SECONDS]
    outside = [one for one in first if one.value["by"] != ITSELF or len(first) == 1]  # faulthandler sends it once more
    return next(iter((outside or first or mine)[-1:]), None)


def _may_end(one: Delivered, died: dict[int, tuple[str, float]]) -> bool:
    number, t = died.get(one.value["target"], ("", 0.0))
    return one.value["signal"] == number and -NOTICED_SECONDS <= t - one.t <= LATEST_SECONDS


def _deaths(folder: TrialFolder) -> dict[int, tuple[str, float]]:
    """Return pid -> (signal, when) of every process that is known to have died of one."""
    found = {pid: (number, t) for pid, number, t in _children(folder) if number}
    ended = {row.value["pid"]: row.value["t"] for row in folder.lines(records.ENDS).rows}
    for end in process_ends.read(folder):
        if end.signal:
            found[end.pid] = (end.signal, ended.get(end.pid, end.began))
    return found


@functools.lru_cache(maxsize=8)
def _children(folder: TrialFolder) -> tuple[tuple[int, str | None, float], ...]:
    """Return (pid, signal or None, when) of every child whose end its parent recorded, Python or not."""
    paths = [folder.path / records.CHILDREN, *folder.path.glob(f"{records.PROCESSES}/*/{records.CHILDREN}")]
    rows = [row.value for path in paths for row in folder.lines(path.relative_to(folder.path).as_posix()).rows]
    return tuple((row["child"], signal_name(row.get("signal")), row["t"]) for row in rows if "child" in row)


def _fault_time(folder: TrialFolder, pid: int) -> float | None:
    names = [MAIN] if pid == folder.exit.get("pid") else [str(pid)]
    faults = (records.read_json(folder.path / records.NATIVE / name / records.FAULT) or {} for name in names)
    return next((fault["t"] for fault in faults if fault.get("t") is not None), None)
