"""What was directly observed of a death: what the system refused it, or who sent the signal; pure.

Such a death needs no intervention: it is no question of memory or threads where something else was seen to end it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.decide import judged, wants
from harness.facts.refused import wording
from harness.model import Fact, Source, Trial

MEMORY, LIMIT, IO, KILLED = "memory-exhaustion", "resource-limit", "io-fault", "external-kill"
AGREEING = 3  # failures in which words and a sampled limit that is full must agree


@dataclasses.dataclass(frozen=True)
class Observation:
    """One sentence of what was seen, and the family of causes that it belongs to."""

    family: str
    text: str
    sources: tuple[Source, ...]


def family_of(resource: str) -> str:
    """Return the hypothesis that a refused resource belongs to."""
    return MEMORY if resource == wording.MEMORY else IO if resource in wants.IO else LIMIT


def of(trial: Trial) -> tuple[Observation, ...]:
    """Return what was observed at one death: refusals at a limit that was reached, and the sender of the signal."""
    seen = [
        Observation(family_of(want.resource), want.text, want.sources) for want in wants.of(trial) if want.is_observed
    ]
    return (*seen, *_senders(trial))


def families(trial: Trial) -> frozenset[str]:
    """Return the families of what was observed at one death."""
    return frozenset(seen.family for seen in of(trial))


def only(failures: Sequence[Trial]) -> str | None:
    """Return the one family that every failure was observed to have, and no failure another; else None."""
    found = {families(trial) for trial in failures}
    return next(iter(next(iter(found)))) if len(found) == 1 and len(next(iter(found))) == 1 else None


def agreed(failures: Sequence[Trial], least: int = AGREEING) -> str | None:
    """Return the family of the limit, or the disk, that was full in each failure, as the program says, too; else None.

    What is said once can be said by mistake, so `least` failures must agree; and nothing else may have been seen.
    """
    full = [{family_of(want.resource) for want in wants.of(trial) if want.is_full} for trial in failures]
    named = full[0] if len(full) >= least and full else set()
    alike = len(named) == 1 and named <= {LIMIT, IO} and all(found == named for found in full)
    return next(iter(named)) if alike and all(families(trial) <= named for trial in failures) else None


def known(failures: Sequence[Trial]) -> str | None:
    """Return the one family that ended each failure, as was seen, or as words and a full limit agree; else None."""
    return only(failures) or agreed(failures)


def oom_kill(trial: Trial) -> Fact | None:
    """Return the record of the OOM killer's ending the very process whose death is judged."""
    line = trial.fact("kernel_oom_line")
    named = line if line is not None and line.value["names"] == "process" else None
    is_kill = judged.of(trial).signal == "SIGKILL"
    return next(iter(_delivered(trial, "oom-killer")), None) or (named if is_kill else None)


def _senders(trial: Trial) -> list[Observation]:
    if not trial.outcome.is_failure or trial.exit.ended_by == "harness":
        return []
    killed = oom_kill(trial)
    if killed is not None:
        pid = killed.value.get("target")
        text = killed.value.get("text") or f"the OOM killer ended process {pid} ({killed.value.get('signal')})"
        return [Observation(MEMORY, text, killed.sources)]
    sent = judged.delivery(trial) if judged.is_from_outside(trial) else None
    return [Observation(KILLED, _word(sent), sent.sources)] if sent is not None else []


def _delivered(trial: Trial, by: str) -> list[Fact]:
    """Return the signals that ended the judged process, sent by one kind of sender."""
    sent = judged.delivery(trial)
    return [sent] if sent is not None and sent.value["by"] == by else []


def _word(sent: Fact) -> str:
    value = sent.value
    if value["by"] == judged.KERNEL:
        return f"{value['signal']} was sent to process {value['target']} by the kernel: its terminal went away"
    who = f"{value['sender_command']}, process {value['sender']}, user {value['sender_user']}"
    return f"{value['signal']} was sent to process {value['target']} by {who}{judged.birth(value['by'])}"
