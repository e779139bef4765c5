"""How a trial under a memory limit ended, in the words that the ladder compares; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from harness.model import Outcome, Source, Trial

OOM_KILL = "OOM kill counted in its group"
ALLOCATION = "allocation failed"
FAULTS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT")  # never sent by the OOM killer
LITTLE = 0.05  # of the limit
NEAR = 0.15  # of the limit
SAME_BYTES = 1 << 16  # the kernel counts a group's limit in pages
PLENTY = 0.2  # of the limit, and of the peak


@dataclasses.dataclass(frozen=True)
class Look:
    """What a death looks like: how it ended, the sign of exhaustion that it left (or None), and where in the model."""

    ending: str
    sign: str | None
    place: tuple[str, str | None, int | None] | None

    def __str__(self) -> str:
        """Return e.g. "SIGKILL, OOM kill counted in its group, in forward backbone, call 2"."""
        phase, module, call = self.place or (None, None, None)
        where = f"in {phase}" + (f" {module}, call {call}" if module else "") if phase else None
        return ", ".join(part for part in (self.ending, self.sign, where) if part)


@dataclasses.dataclass(frozen=True)
class Rung:
    """One rung: its limit (None where the child did not confirm it), and how the target ended (None: it lived).

    `at_limit`: use was at the limit. `roomy`: it is known that it was not. Both False: not known. `near`: use had come
    near it. `stack`: the loose signature.
    """

    factor: float
    trial_id: str
    kind: str | None
    limit_bytes: int | None
    outcome: Outcome
    look: Look | None
    at_limit: bool
    roomy: bool
    near: bool
    stack: str | None
    sources: tuple[Source, ...]


def read_rung(factor: float, trial: Trial) -> Rung:
    """Return what a trial under a limit shows; one whose limit is not confirmed shows nothing of exhaustion."""
    confined = trial.value("confinement") or {}
    limit = confined.get("limit_bytes") if confined.get("applied") and not _is_above_outer(trial, confined) else None
    look = look_of(trial)
    names = ("confinement", "oom_kill_in_group", "allocation_failure", "group_peak_bytes", "headroom_bytes")
    exit_source = Source(f"trials/{trial.id}/exit.json", 1)
    return Rung(
        factor=factor, trial_id=trial.id, kind=confined.get("kind"), limit_bytes=limit, outcome=trial.outcome,
        look=look, at_limit=limit is not None and _is_at_limit(trial, look, limit),
        roomy=limit is not None and _is_roomy(trial, limit), near=limit is not None and _is_near_own(trial, limit),
        stack=trial.signature.loose if trial.signature else None, sources=(exit_source, *sources_of(trial, names)),
    )  # fmt: skip


def _is_above_outer(trial: Trial, confined: dict[str, Any]) -> bool:
    """Whether a tighter limit held around the rung's own group: then what it shows is that limit's, and it is none."""
    outer = trial.value("outer_memory_limit_bytes")
    is_group = str(confined.get("kind")).startswith("cgroup")
    return is_group and outer is not None and confined["limit_bytes"] >= outer


def look_of(trial: Trial) -> Look | None:
    """Return what a trial's death looks like; None where it did not fail, or the harness ended it at a limit."""
    if not trial.outcome.is_failure:
        return None
    last = trial.last_event
    place = (last.phase, last.module, last.call) if last else None
    return Look(_ending(trial), _sign(trial), place)


def has_little_left(trial: Trial) -> bool:
    """Whether it is known that little was left under the tightest limit."""
    left, limit = trial.value("headroom_bytes"), trial.value("memory_limit_bytes")
    return left is not None and limit is not None and left < LITTLE * limit


def is_near_limit(trial: Trial) -> bool:
    """Whether use had come so near to the tightest limit that a large allocation may have been refused."""
    left, limit = trial.value("headroom_bytes"), trial.value("memory_limit_bytes")
    return left is not None and limit is not None and left < NEAR * limit


def has_plenty_left(trial: Trial) -> bool:
    """Whether it is known that much was left under every limit, measured by the limit and by what was used.

    A burst after the last sample is allowed for: it cannot have been higher than the kernel's own peak.
    """
    left, limit = trial.value("headroom_bytes"), trial.value("memory_limit_bytes")
    peak, last = trial.peak_rss_bytes, trial.value("rss_at_end_bytes")
    if left is None or limit is None or peak is None or last is None:
        return False
    return bool(left - max(0, peak - last) >= PLENTY * max(limit, peak))


def sources_of(trial: Trial, names: Iterable[str]) -> tuple[Source, ...]:
    """Return the sources of those of the named facts that the trial has, each once."""
    facts = (trial.fact(name) for name in names)
    return tuple(dict.fromkeys(source for fact in facts if fact for source in fact.sources))


def _ending(trial: Trial) -> str:
    if trial.outcome is Outcome.HUNG:
        return "hang"
    error = trial.value("python_error")
    raised = f", {error['type']}" if error and not trial.exit.signal else ""
    return (trial.exit.signal or trial.exit.ntstatus or f"exit code {trial.exit.code}") + raised


def _sign(trial: Trial) -> str | None:
    """An OOM kill comes first: what the program printed before it is not what ended it."""
    if trial.value("oom_kill_in_group"):
        return OOM_KILL
    failure = trial.value("allocation_failure")
    return f"{ALLOCATION}: {failure['sign']}" if failure else None


def _is_at_limit(trial: Trial, look: Look | None, limit: int) -> bool:
    """Its own group's counters tell: an OOM kill in it, or its peak; under a resource limit, words, or little left.

    Another limit that is full at a rung says nothing of the rung. The group's peak counts pages of files, too: a death
    without a sign must be compared with the rungs with room.
    """
    if str((trial.value("confinement") or {}).get("kind")).startswith("RLIMIT"):
        return bool(look and look.sign) or has_little_left(trial)
    peak = trial.value("group_peak_bytes")
    full = peak is not None and peak >= (1 - LITTLE) * limit
    killed = look is not None and look.sign == OOM_KILL
    said = look is not None and look.sign is not None and peak is None
    return killed or full or said or (has_little_left(trial) and _is_own_limit(trial, limit))


def _is_own_limit(trial: Trial, limit: int) -> bool:
    """Whether the tightest limit that was known is the rung's."""
    tightest = trial.value("memory_limit_bytes")
    return tightest is not None and abs(tightest - limit) < SAME_BYTES


def _is_near_own(trial: Trial, limit: int) -> bool:
    kind = str((trial.value("confinement") or {}).get("kind"))
    return is_near_limit(trial) and (kind.startswith("RLIMIT") or _is_own_limit(trial, limit))


def _is_roomy(trial: Trial, limit: int) -> bool:
    """Only the kernel's own peak of the group can tell that the limit was never near; samples cannot."""
    peak = trial.value("group_peak_bytes")
    return peak is not None and peak < (1 - PLENTY) * limit
