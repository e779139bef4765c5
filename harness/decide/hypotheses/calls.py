"""The recorded calls that explain how a trial ended: their effect must be what was seen."""

from __future__ import annotations

from harness.model import Source, Trial

CALLS = ("os._exit", "sys.exit", "exit")
THREAD_EXIT = "SystemExit in thread"
Call = tuple[str, tuple[Source, ...]]


def explaining_call(trial: Trial) -> Call | None:
    """Return the recorded call whose effect is the trial's end, worded, and where it is recorded."""
    worded = (
        (_word(fact.name, fact.value), fact.sources)
        for fact in trial.facts
        if (fact.name == "exit_call" and _explains(trial, fact.value))
        or (fact.name == "signal_sent" and fact.value["fatal"])
    )
    return next(worded, None)


def ending_signal(trial: Trial) -> str | None:
    """Return the signal that ended the trial: the process' own, or that of the worker whose death it only reports."""
    worker = trial.value("worker_death")
    return trial.exit.signal or (worker["signal"] if worker and trial.outcome == "died" else None)


def sent_by_itself(trial: Trial) -> bool:
    """Whether a recorded call of the program sent the signal: to itself, or to the worker that died of it."""
    worker = (trial.value("worker_death") or {}).get("pid")
    sent = [fact.value for fact in trial.facts if fact.name == "signal_sent"]
    return any(value["fatal"] or (worker is not None and value["target"] == worker) for value in sent)


def is_unexplained_on_windows(trial: Trial) -> bool:
    """Whether an exit code stands alone on Windows, where TerminateProcess from outside gives any code it likes."""
    return (
        trial.value("exit_system") == "win32"
        and trial.outcome == "died"
        and not trial.exit.ntstatus
        and trial.value("python_error") is None
        and explaining_call(trial) is None
    )


def _explains(trial: Trial, value: dict[str, object]) -> bool:
    """POSIX keeps the lowest byte of an exit status (exit(3)), Windows 32 bits; a thread's SystemExit leaves none."""
    code = value.get("code")
    if value["call"] == THREAD_EXIT:
        return trial.exit.code == 0
    wide = 0xFFFFFFFF if trial.value("exit_system") == "win32" else 0xFF
    return value["call"] in CALLS and isinstance(code, int) and trial.exit.code == code & wide


def _word(name: str, value: dict[str, object]) -> str:
    if name == "signal_sent":
        sent = f"{value['call']}({value['target']}, {value['signal']})"
        return f"{sent} in thread {value['thread']} of process {value['pid']}"
    native = ", called by native code" if value["call"] == "exit" else ""
    return f"{value['call']}({value['code']}) in thread {value['thread']}{native}"
