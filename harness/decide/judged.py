"""The death that is judged, of the process that died first by whatever means, and who sent its signal; pure.

Every process of the tree counts: where a worker, a rank or a tool died first, the observed process' own end only
reports it. An end that a signal asked for, and that the program then brought about in order, is a death by that signal.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.model import EndedBy, Fact, Source, Trial

ITSELF, TREE, STRANGER, KERNEL, OOM_KILLER = "itself", "tree", "stranger", "kernel", "oom-killer"
DETACHED = "detached"  # a process that the target started, and that went its own way
OWN = (ITSELF, TREE)
OTHERS = (TREE, STRANGER, DETACHED)  # than the process that died
TERMINALS = ("SIGHUP", "SIGINT", "SIGQUIT")  # which the kernel sends when a terminal goes away, or by its keys
ASKED_SECONDS = 60.0  # from a signal to the orderly end that it asked for: a checkpoint is written


@dataclasses.dataclass(frozen=True)
class Death:
    """How the process that died first did: by a signal (its name), a code, with an uncaught exception.

    `pid` is None where only the observed process is known; `started_by` is "tool" where it was no Python.
    """

    pid: int | None
    is_observed: bool
    signal: str | None
    code: int | None
    error: dict[str, Any] | None
    started_by: str | None
    is_orderly: bool
    sources: tuple[Source, ...]

    @property
    def is_tool(self) -> bool:
        """Whether nothing of it was observed from inside."""
        return self.started_by == "tool"


def of(trial: Trial) -> Death:
    """Return the death that is judged; of a trial that did not die, how its process ended."""
    worker = trial.fact("worker_death") if trial.outcome == "died" else None
    errors = [fact.value for fact in trial.facts if fact.name == "python_error"]
    if worker is not None:
        value = worker.value
        own = [error for error in errors if error.get("pid") == value["pid"]]
        return Death(
            value["pid"], False, value.get("signal"), value.get("code"), next(iter(own), None),
            value.get("started_by"), False, worker.sources,
        )  # fmt: skip
    orderly = trial.fact("orderly_end")
    signal = trial.exit.signal or (orderly.value["signal"] if orderly else None)
    error = next(iter(errors), None)
    return Death(
        None, True, signal, trial.exit.code, error, None, orderly is not None, orderly.sources if orderly else ()
    )


def first_words(trial: Trial) -> str | None:
    """Say how another process than the observed one died first, with its own error; None where none did."""
    death, fact = of(trial), trial.fact("worker_death")
    if death.is_observed or fact is None:
        return None
    command = f" ({fact.value['command']})" if fact.value.get("command") else ""
    words = f", {fact.value['error']}" if fact.value.get("error") else ""
    return f"process {death.pid}{command} died first: {death.signal or f'exit code {death.code}'}{words}"


def delivery(trial: Trial) -> Fact | None:
    """Return the record of the signal that the judged death is of, with its sender; None where it was not seen."""
    death = of(trial)
    sent = [fact for fact in trial.facts if fact.name == "signal_delivered" and fact.value["signal"] == death.signal]
    mine = [fact for fact in sent if death.pid is None or fact.value["target"] == death.pid]
    if death.is_orderly:
        return next(iter([fact for fact in mine if _has_asked(fact)][-1:]), None)
    return next((fact for fact in mine if fact.value.get("ends")), None)


def asked_quietly(trial: Trial) -> list[Fact]:
    """Return the signals of a stranger that a handler took right before an exit: it may have asked for that exit."""
    death = of(trial)
    if trial.outcome != "died" or death.code is None or death.is_orderly:
        return []
    taken = [fact for fact in trial.facts if fact.name == "signal_handled"]
    return [one for one in taken if one.value["by"] == STRANGER or _is_of_a_terminal(one.value)]


def sender(trial: Trial) -> str | None:
    """Return who sent the signal of the judged death, as `signal_delivered` says it; None where it was not seen."""
    seen = delivery(trial)
    return None if seen is None else str(seen.value["by"])


def birth(by: str) -> str:
    """Say how a sender belongs to the target's tree; "" where it does not."""
    detached = ", which the target started and which lives in a session of its own"
    return {TREE: " of its own tree", DETACHED: detached}.get(by, "")


def is_from_outside(trial: Trial) -> bool:
    """Whether the sender was seen, and is a stranger to the tree, or detached from it; or the terminal's end."""
    death, by = of(trial), sender(trial)
    if trial.exit.ended_by == EndedBy.HARNESS:
        return False
    return by in (STRANGER, DETACHED) or (by == KERNEL and death.signal in TERMINALS)


def is_from_within(trial: Trial) -> bool:
    """Whether the sender was seen, and is the program itself, a process of its tree, or the kernel on its behalf."""
    death, by = of(trial), sender(trial)
    return by in OWN or (by == KERNEL and death.signal not in TERMINALS)


def _is_of_a_terminal(sent: dict[str, Any]) -> bool:
    return bool(sent["by"] == KERNEL and sent["signal"] in TERMINALS)


def _has_asked(sent: Fact) -> bool:
    before = sent.value.get("before_death_seconds")
    return before is not None and 0.0 <= before <= ASKED_SECONDS
