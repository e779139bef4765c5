"""exits.jsonl, native_exit.jsonl -> who called for the end, who sent which signal, what was left to do; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.facts.ended import exit_caller
from harness.facts.folder import TrialFolder
from harness.model import EndedBy, Fact, Source
from probes import records
from probes.records import Row

TIMERS = ("signal.alarm", "signal.setitimer")  # a signal that comes later
SIGNAL_CALLS = ("os.kill", "os.killpg", "os.abort", "signal.pthread_kill", "signal.raise_signal", *TIMERS)
TIMER_SECONDS = 0.1  # by which a timer may be early or late
LATEST_SECONDS = 20.0  # from a signal's sending to the end: a handler may run, a crash is held, memory is torn down
STARTING = re.compile(r'File "(?:[^"]*[/\\])?lib[/\\](?:[^"]*[/\\])?threading\.py"', re.IGNORECASE)
NATIVE_EXIT = "native exit"  # derived: no call was seen, and none of Python's endings
Sent = tuple[Row, Source]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return the recorded calls, the signals sent, native code's exit, and a death after the work."""
    found = [*_calls(folder), *_signals(folder), *_native(folder), *late(folder)]
    system = folder.exit.get("system")
    windows = system == "win32"  # there an exit code can be given from outside too: the rules must know
    return [*found, Fact("exit_system", system, (folder.key_source(records.EXIT, "system"),))] if windows else found


def own_signal(folder: TrialFolder) -> Sent | None:
    """Return the recorded call by which the program, or a process that it started, sent the signal that ended it."""
    name = folder.exit.get("signal")
    ends = folder.exit.get("ended_by") != EndedBy.HARNESS and name is not None
    fatal = (sent for sent in _sent_to_it(folder) if sent[0].value.get("signal") == name and _ends(folder, sent[0]))
    return next(fatal, None) if ends else None


def calls(folder: TrialFolder) -> list[str]:
    """Return the names of the calls that the observed process itself recorded, in their order."""
    return [row.value["call"] for row in endings(folder)]


def endings(folder: TrialFolder) -> list[Row]:
    """Return the calls of the observed process, those of the program alone that it was last (os.exec*)."""
    rows = folder.own_lines(records.EXITS)
    last = next((at for at in reversed(range(len(rows))) if rows[at].value["call"] == "os.exec"), -1)
    return rows if last == len(rows) - 1 and not _is_led(folder, rows) else rows[last + 1 :]


def was_replaced(folder: TrialFolder) -> bool:
    """Whether a program that is not observed has taken the process over: only its exit code is known."""
    rows = folder.own_lines(records.EXITS)
    return bool(rows) and rows[-1].value["call"] == "os.exec" and not _is_led(folder, rows)


def _is_led(folder: TrialFolder, rows: list[Row]) -> bool:
    """Whether the program that took over began under the inside probes."""
    starts = [row.value.get("t", 0.0) for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "start"]
    return bool(starts) and bool(rows) and starts[-1] > rows[-1].value.get("t", 0.0)


def of_process(folder: TrialFolder, pid: int, place: str, code: int | None) -> list[Fact]:
    """Return `exit_call` for a process of the target other than the observed one, whose folder is `place`."""
    name = place + records.EXITS
    rows = [row for row in folder.lines(name).rows if row.value["pid"] == pid]
    return [*_worded(folder, name, rows), *_held(folder, pid, code)]


def _calls(folder: TrialFolder) -> Iterator[Fact]:
    yield from _worded(folder, records.EXITS, endings(folder))


def _worded(folder: TrialFolder, name: str, rows: list[Row]) -> Iterator[Fact]:
    for row in rows:
        if row.value["call"] not in SIGNAL_CALLS:
            value = {key: row.value.get(key) for key in ("call", "code", "thread")}
            value |= {key: row.value[key] for key in ("pid",) if name != records.EXITS}
            value |= {key: row.value[key] for key in ("place", "handler", "in_loop") if key in row.value}
            value |= {"is_threads_function": True} if _is_threads_function(row) else {}
            yield Fact("exit_call", value, (folder.source(name, row.line),))


def _is_threads_function(row: Row) -> bool:
    """Whether a thread was started with sys.exit itself as its function: between the two there is no code but Python's
    own way of starting threads, so whoever started it has asked.
    """
    stack = row.value.get("stack") or ()
    return row.value["call"] == "SystemExit in thread" and bool(stack) and all(map(STARTING.search, stack))


def _signals(folder: TrialFolder) -> Iterator[Fact]:
    """Yield every signal that was sent; `fatal` marks the one that ended the program."""
    fatal = own_signal(folder)
    rows = [(row, folder.source(records.EXITS, row.line)) for row in folder.own_lines(records.EXITS)]
    for row, source in [*rows, *_from_children(folder)]:
        if row.value["call"] in SIGNAL_CALLS:
            value = {key: row.value.get(key) for key in ("call", "signal", "target", "thread", "pid")}
            value |= {"is_detached": True} if is_detached(folder, row) else {}
            yield Fact("signal_sent", {**value, "fatal": fatal is not None and fatal[1] == source}, (source,))


def _sent_to_it(folder: TrialFolder) -> Iterator[Sent]:
    """Yield the signals sent to the process or to its group: it leads its session, so both have its number."""
    pid = folder.exit.get("pid")
    own = [(row, folder.source(records.EXITS, row.line)) for row in folder.own_lines(records.EXITS)]
    for row, source in [*own, *_from_children(folder)]:
        to_it = pid is not None and abs(row.value.get("target") or 0) == pid
        if row.value["call"] in SIGNAL_CALLS and to_it and not is_detached(folder, row):
            yield row, source


def detached(folder: TrialFolder) -> Iterator[Sent]:
    """Yield the signals that processes which the target started, and which went their own way, sent to it."""
    pid = folder.exit.get("pid")
    for row, source in _from_children(folder):
        if row.value.get("target") == pid and is_detached(folder, row):
            yield row, source


def is_detached(folder: TrialFolder, row: Row) -> bool:
    """Whether a descendant in a session of its own sent a signal: the observed process leads the target's session."""
    pid, session = folder.exit.get("pid"), row.value.get("session")
    return session is not None and pid is not None and session != pid and row.value.get("pid") != row.value["target"]


def _from_children(folder: TrialFolder) -> Iterator[Sent]:
    for path in sorted(folder.path.glob(f"processes/*/{records.EXITS}")):
        name = path.relative_to(folder.path).as_posix()
        yield from ((row, folder.source(name, row.line)) for row in folder.lines(name).rows)


def _ends(folder: TrialFolder, row: Row) -> bool:
    """SIGKILL cannot be survived; any other signal must have been sent right before the end, or a timer be over."""
    end = folder.exit.get("started_monotonic", 0.0) + folder.exit.get("seconds", 0.0)
    if row.value["call"] in TIMERS:
        set_ = [other for other in folder.own_lines(records.EXITS) if other.value["call"] == row.value["call"]]
        seconds = row.value.get("seconds") or float("inf")
        return set_[-1].line == row.line and row.value["t"] + seconds - TIMER_SECONDS <= end
    return row.value.get("signal") == "SIGKILL" or 0.0 <= end - row.value.get("t", end) <= LATEST_SECONDS


def _native(folder: TrialFolder) -> Iterator[Fact]:
    """Yield the exit() that was held in native code; else what only the absence of every other ending tells."""
    held = _held(folder, folder.exit.get("pid"), _status(folder))
    yield from held
    if not held and _is_silent(folder):
        armed = next(
            (row for row in folder.lines(records.INSIDE).rows if row.value.get("event") == "native exit armed"), None
        )
        possible = "_exit or quick_exit" if armed else "exit, _exit or quick_exit"
        sources = [folder.key_source(records.EXIT, "code"), folder.source(records.EXITS, 1)]
        sources += [folder.source(records.INSIDE, armed.line)] if armed else []
        yield Fact(
            "exit_call",
            {"call": NATIVE_EXIT, "code": _status(folder), "thread": None, "possible": possible},
            tuple(sources),
        )


def _held(folder: TrialFolder, pid: int | None, code: int | None) -> list[Fact]:
    """Return the exit() of native code that a process was held in, and which library called it where a stack tells."""
    rows = [row for row in folder.lines(records.NATIVE_EXIT).rows if row.value.get("pid", pid) == pid]
    found = []
    for row in rows[:1]:
        thread = "MainThread" if row.value.get("main_thread") else f"native thread {row.value.get('thread')}"
        place = row.value.get("folder")
        value = {"call": "exit", "code": code, "thread": thread, "folder": place, "pid": pid}
        value["caller"] = exit_caller.caller(folder, place, row.value.get("thread"))
        found.append(Fact("exit_call", value, (folder.source(records.NATIVE_EXIT, row.line),)))
    return found


def _is_silent(folder: TrialFolder) -> bool:
    """Whether a watched process ended with an exit code that none of Python's ways to end explains."""
    code, table = folder.exit.get("code"), folder.lines(records.EXITS)
    watched = folder.spec.get("inside_probes", True) and table.exists and not table.tail
    alone = folder.exit.get("ended_by") == EndedBy.ITSELF and folder.exit.get("system") not in (None, "win32")
    explained = {"atexit", "os._exit"} & set(calls(folder)) or was_replaced(folder)
    return bool(watched and alone) and code is not None and not folder.exit.get("ntstatus") and not explained


def _status(folder: TrialFolder) -> int | None:
    code: int | None = folder.exit.get("code")
    return code


def late(folder: TrialFolder) -> Iterator[Fact]:
    """Yield a death after the main program had ended: its work was done, whatever the signal or the code says."""
    ended = next((row for row in endings(folder) if row.value["call"] in ("end of main", "sys.exit")), None)
    if (
        ended is None
        or not folder.exit
        or folder.exit.get("ended_by") == EndedBy.HARNESS
        or not _is_death(folder, ended)
    ):
        return
    final = next((row for row in endings(folder) if row.value["call"] == "atexit"), None)
    value = {
        "how": folder.exit.get("signal") or folder.exit.get("ntstatus") or f"exit code {folder.exit.get('code')}",
        "main": ended.value["call"],
        "phase": "during finalization" if final else "after the main program, before the interpreter's finalization",
    }  # fmt: skip
    lines = [ended.line, *([final.line] if final else [])]
    sources = (folder.key_source(records.EXIT, "code"), *(folder.source(records.EXITS, line) for line in lines))
    yield Fact("died_after_main", value, sources)


def _is_death(folder: TrialFolder, ended: Row) -> bool:
    """Whether the end is another than the main program's own code asks for."""
    if folder.exit.get("signal") or folder.exit.get("ntstatus") or "os._exit" in calls(folder):
        return True
    wide = 0xFFFFFFFF if folder.exit.get("system") == "win32" else 0xFF
    wanted = ended.value.get("code")
    return isinstance(wanted, int) and folder.exit.get("code") != wanted & wide
