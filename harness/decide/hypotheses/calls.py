"""The recorded calls that explain how a trial ended: their effect must be what was seen."""

from __future__ import annotations

from typing import Any

from harness.decide import judged
from harness.model import Fact, Source, Trial

CALLS = ("os._exit", "sys.exit", "exit")
ASKING = ("SIGTERM", "SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2")
THREAD_EXIT = "SystemExit in thread"
Call = tuple[str, tuple[Source, ...]]


def explaining_call(trial: Trial) -> Call | None:
    """Return the recorded call whose effect is the judged death, worded, and where it is recorded."""
    worded = (
        (_word(fact.name, fact.value), fact.sources)
        for fact in trial.facts
        if (fact.name == "exit_call" and _explains(trial, fact.value))
        or (fact.name == "signal_sent" and _is_own(trial, fact))
    )
    return next(worded, None)


def library_exit(trial: Trial) -> Fact | None:
    """Return the exit() that a library called for itself, which is how the judged death came; None where there is none.

    It reports something (libgomp: "Thread creation failed"), and is no wish of the program's.
    """
    found = (fact for fact in trial.facts if fact.name == "exit_call" and _fits(trial, fact.value))
    return next((fact for fact in found if _caller(fact.value).get("is_own") is False), None)


def ending_signal(trial: Trial) -> str | None:
    """Return the signal of the judged death: the process' own, or that of the worker whose death it only reports."""
    return judged.of(trial).signal


def sent_by_itself(trial: Trial) -> bool:
    """Whether the program sent the signal, to itself or to the worker that died of it, by a call or as it was seen."""
    return sent_by_a_call(trial) or judged.is_from_within(trial)


def sent_by_a_call(trial: Trial) -> bool:
    """Whether a recorded call of the program sent the signal: to itself, or to the worker that died of it."""
    sent = [fact for fact in trial.facts if fact.name == "signal_sent"]
    return any(_is_of_the_death(trial, fact.value) for fact in sent)


def is_raised_by_native_code(trial: Trial) -> bool:
    """Whether the process that died was seen to send itself the signal that asks for an end, by no call of Python's.

    Not a fault's signal, which handlers send once more, nor SIGINT, by which the interpreter ends after Ctrl-C.
    """
    asks = judged.of(trial).signal in ASKING
    return asks and judged.sender(trial) == judged.ITSELF and not sent_by_a_call(trial)


def is_unexplained_on_windows(trial: Trial) -> bool:
    """Whether an exit code stands alone on Windows, where TerminateProcess from outside gives any code it likes."""
    return (
        trial.value("exit_system") == "win32"
        and trial.outcome == "died"
        and not trial.exit.ntstatus
        and trial.value("python_error") is None
        and explaining_call(trial) is None
    )


def _is_of_the_death(trial: Trial, sent: dict[str, Any]) -> bool:
    """A sent signal speaks of a death only where its target and its number are those of that death."""
    death = judged.of(trial)
    if sent.get("is_detached") or judged.is_from_outside(trial):
        return False  # who sent it acts on its own
    if death.is_observed:
        return bool(sent["fatal"])
    return abs(sent["target"] or 0) == death.pid and sent.get("signal") == death.signal


def _is_own(trial: Trial, sent: Fact) -> bool:
    """Whether the process that died first sent the signal to itself, or, to the observed process, one of its tree."""
    death = judged.of(trial)
    return _is_of_the_death(trial, sent.value) and (death.is_observed or sent.value.get("pid") == death.pid)


def _fits(trial: Trial, value: dict[str, Any]) -> bool:
    """POSIX keeps the lowest byte of an exit status (exit(3)), Windows 32 bits; a thread's SystemExit leaves none."""
    death, code = judged.of(trial), value.get("code")
    if not death.is_observed and value.get("pid") != death.pid:
        return False
    if death.signal is not None:
        return False
    if value["call"] == THREAD_EXIT:
        return death.code == 0
    wide = 0xFFFFFFFF if trial.value("exit_system") == "win32" else 0xFF
    return value["call"] in CALLS and isinstance(code, int) and death.code == code & wide


def _explains(trial: Trial, value: dict[str, Any]) -> bool:
    """Only where the program's own code asked: a Python frame of it, or native code that is known to be its own."""
    known = value.get("place") is not None or bool(value.get("is_threads_function")) if "place" in value else True
    own = _caller(value).get("is_own", "caller" not in value) is True
    return _fits(trial, value) and known and own


def _caller(value: dict[str, Any]) -> dict[str, Any]:
    return value.get("caller") or {}


def _word(name: str, value: dict[str, Any]) -> str:
    if name == "signal_sent":
        sent = f"{value['call']}({value['target']}, {value['signal']})"
        return f"{sent} in thread {value['thread']} of process {value['pid']}"
    native = ", called by native code" if value["call"] == "exit" else ""
    place = value.get("place")
    where = f" at {place[0]}:{place[1]}" if place else ""
    return f"{value['call']}({value['code']}) in thread {value['thread']}{native}{where}"
