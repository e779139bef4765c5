"""The memory ladder: the same cell under lower and lower limits, and whether the death under inquest looks like those.

Pure. What exhaustion looks like is not assumed but induced: a rung at which the target died with its use at the limit
shows it. Three traps (see `compare`): a SIGKILL alone is no OOM kill, since anybody may send it; a SIGSEGV may be an
unchecked allocation; a group whose use reached its limit may only have given back pages of files. The reading is `yes`
or `no` only where nothing speaks against it, else `unknown`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from harness.decide.memory_ladder_endings import (
    ALLOCATION,
    FAULTS,
    LITTLE,
    OOM_KILL,
    PLENTY,
    Look,
    Rung,
    has_little_left,
    has_plenty_left,
    is_near_limit,
    look_of,
    read_rung,
    sources_of,
)
from harness.model import Gap, Reason, Source, Trial
from harness.units import size

RUNGS = (1.5, 1.0, 0.8, 0.6)  # shares of the measured peak
LOWER_RUNGS = (0.4, 0.2)  # where the target lived on each of those: what it needs is less than what it touched
LOWER = 0.9  # of the limit at the death: only a limit that is clearly lower can move it
FOLLOWERS = 2
PAGE = 4096
YES, NO, UNKNOWN = "yes", "no", "unknown"


@dataclasses.dataclass(frozen=True)
class LadderReading:
    """What the ladder shows. `signature_of_exhaustion`: the looks of the deaths that the limits brought about.

    `matches`: whether the death under inquest looks like one of them: "yes", "no" or "unknown".
    """

    rungs: tuple[Rung, ...]
    signature_of_exhaustion: tuple[Look, ...]
    matches: str
    reasons: tuple[Reason, ...]
    gaps: tuple[Gap, ...] = ()

    @property
    def died_at(self) -> dict[float, Look]:
        """Rung -> how the target died there; the rungs that it survived are left out."""
        return {rung.factor: rung.look for rung in self.rungs if rung.look}


def limits(peak_bytes: int, rungs: Iterable[float] = RUNGS) -> list[tuple[float, int]]:
    """Return (rung, limit in bytes, whole pages) of a measured peak, the roomiest first."""
    return [(rung, max(PAGE, int(peak_bytes * rung) // PAGE * PAGE)) for rung in sorted(rungs, reverse=True)]


def countable_peak(trial: Trial, kind: str | None) -> int | None:
    """Return the peak of what a limit of that kind counts, in bytes; None where it is not known.

    A group is charged for pages of files only by whoever reads them first: torch's libraries are 400 MB of RSS that no
    group pays for twice, so a share of RSS may be no limit at all. RLIMIT_DATA counts what is reserved, used or not.
    """
    if kind and kind.startswith("RLIMIT"):
        return trial.value("data_peak_bytes") or trial.peak_rss_bytes
    peak = trial.peak_rss_bytes
    in_group = trial.value("group_peak_bytes") if trial.value("group_is_own") else None  # else others are counted too
    alone = max(PAGE, peak - (trial.value("file_bytes") or 0)) if peak else 0
    return in_group or max(alone, _of_the_tree(trial)) or None


def _of_the_tree(trial: Trial) -> int:
    """Return what all processes used, shared pages counted once, less those of files; 0 where there was one process."""
    together = trial.value("tree_peak_pss_bytes")
    return max(0, together - (trial.value("file_bytes") or 0)) if together else 0


def compare(death: Trial, rungs: list[tuple[float, Trial]]) -> LadderReading:
    """Compare a death with what its cell does under each rung of the measured peak.

    `yes` needs the kernel's word for it, or the same look with the same sign of exhaustion, or, where neither left a
    sign, the same ending at the same place with little memory left. `no` needs plenty left under every known limit, no
    sign of exhaustion, counters that were read, and an ending that induced exhaustion does not have.
    """
    read = tuple(read_rung(factor, trial) for factor, trial in sorted(rungs, key=lambda rung: -rung[0]))
    signature = tuple(dict.fromkeys(_signature(death, read)))
    matches, why = _follows(death, read) or _judge(death, look_of(death), signature)
    reasons = (*(_word(rung) for rung in read), *_against(death, read), why)
    return LadderReading(read, signature, matches, reasons, tuple(_gaps(read, signature)))


def _signature(death: Trial, rungs: tuple[Rung, ...]) -> Iterator[Look]:
    """Yield the looks of induced exhaustion. Without a sign of its own, a death counts only where its use was at the
    limit, the target lives at a rung with room and never dies like that there, and it is not the very death under
    inquest, come again on a rung: with plenty left, that one needed no limit.
    """
    plain = death.signature.loose if death.signature and has_plenty_left(death) else None
    lives = any(rung.look is None and not rung.at_limit for rung in rungs)
    with_room = {(rung.look.ending, rung.look.place) for rung in rungs if rung.look and not rung.at_limit}
    for rung in rungs:
        again = plain is not None and rung.stack == plain
        bare = lives and not again and rung.look and (rung.look.ending, rung.look.place) not in with_room
        if rung.look and rung.at_limit and (rung.look.sign or bare):
            yield rung.look


def _follows(death: Trial, rungs: tuple[Rung, ...]) -> tuple[str, Reason] | None:
    """A death that moves with the limit: the same stack under each lower one, each time with use near that limit.

    Where every run grows until it is refused more, no rung lets it live, and an allocation that nobody checks leaves
    no sign: then this alone tells it from a fault of another kind.
    """
    limit = death.value("memory_limit_bytes") or 0
    lower = [rung for rung in rungs if rung.limit_bytes and rung.limit_bytes < LOWER * limit]
    stack = death.signature.loose if death.signature else None
    same = all(rung.near and rung.look and rung.stack == stack for rung in lower)
    if stack is None or not is_near_limit(death) or len(lower) < FOLLOWERS or not same:
        return None
    limits_ = ", ".join(size(rung.limit_bytes) for rung in lower)
    text = f"{death.id}: the death follows the limit: under {limits_} it came at the same place, each time near it"
    return YES, Reason(text, tuple(source for rung in lower for source in rung.sources))


def _judge(death: Trial, look: Look | None, signature: tuple[Look, ...]) -> tuple[str, Reason]:
    if look is None:
        return UNKNOWN, Reason(f"{death.id} did not fail, so there is no death to compare")
    line = death.fact("kernel_oom_line")
    if line and line.value["names"] == "process" and look.ending == "SIGKILL":
        return YES, Reason(f"{death.id}: the kernel says that its OOM killer killed this process", line.sources)
    exit_ = Source(f"trials/{death.id}/exit.json", 1)
    if not signature:
        return UNKNOWN, Reason(
            "no rung showed what exhaustion looks like: none brought about a death at its limit", (exit_,)
        )
    if look.sign:
        return _with_sign(death, look, signature)
    alike = [one for one in signature if one.ending == look.ending]
    return _bare_alike(death, look, alike) if alike else _bare_unlike(death, look)


def _with_sign(death: Trial, look: Look, signature: tuple[Look, ...]) -> tuple[str, Reason]:
    """Both the death and the rungs may show a sign of exhaustion of their own."""
    same = any((one.ending, one.sign) == (look.ending, look.sign) for one in signature)
    said = f"{death.id}: {look}"
    if not same:
        return UNKNOWN, _left(death, f"{said}: a sign of exhaustion, but induced exhaustion looked different")
    if look.sign == OOM_KILL and not (death.value("group_is_own") or has_little_left(death)):
        return UNKNOWN, _left(death, f"{said}: as under the rungs, but others share its group: it may have been theirs")
    if look.sign != OOM_KILL and has_plenty_left(death) and not _asked_for_more(death):
        return UNKNOWN, _left(death, f"{said}: as under the rungs, but an allocation failed with plenty left")
    return YES, _left(death, f"{said}: the same ending with the same sign as under the rungs")


def _bare_alike(death: Trial, look: Look, alike: list[Look]) -> tuple[str, Reason]:
    """The ending is one of induced exhaustion, but the death left no sign of its own."""
    same = [one for one in alike if one.sign is None and one.place is not None and one.place == look.place]
    if same and has_little_left(death):
        return YES, _left(death, f"{death.id}: {look}: the same ending at the same place, with little memory left")
    if look.ending == "SIGKILL" and _counted_none(death) and has_plenty_left(death) and _only_oom_kills(alike):
        text = f"{death.id}: {look}: under the rungs the kernel counted its OOM kill, here it counted none"
        return NO, _left(death, text)
    return UNKNOWN, _left(death, f"{death.id}: {look}: an ending of induced exhaustion, too, but nothing else tells")


def _bare_unlike(death: Trial, look: Look) -> tuple[str, Reason]:
    said = f"{death.id}: {look}: induced exhaustion never ended so"
    if not has_plenty_left(death):
        return UNKNOWN, _left(death, f"{said}, but it cannot be said that plenty of memory was left")
    if not _counted_none(death) and look.ending not in FAULTS:
        return UNKNOWN, _left(death, f"{said}, but OOM kills were not counted, or some were")
    return NO, _left(death, f"{said}, no allocation is known to have failed, and plenty of memory was left")


def _only_oom_kills(looks: list[Look]) -> bool:
    return all(look.sign == OOM_KILL for look in looks)


def _counted_none(death: Trial) -> bool:
    """Whether no OOM kill can have been this one: the victim's group counts each; where it is not read, the machine."""
    in_group = death.value("oom_kill_in_group")
    return bool((death.value("oom_kill_on_host") if in_group is None else in_group) == 0)


def _asked_for_more(death: Trial) -> bool:
    """Whether the allocation that failed was larger than what was left."""
    wanted = (death.value("allocation_failure") or {}).get("wanted_bytes")
    left = death.value("headroom_bytes")
    return bool(wanted is not None and left is not None and wanted > left)


def _left(death: Trial, text: str) -> Reason:
    """Add what was left to a sentence, and the records of everything that was weighed."""
    left, limit = death.value("headroom_bytes"), death.value("memory_limit_bytes")
    known = left is not None and limit is not None
    words = f"{size(left)} of {size(limit)} were left ({death.value('memory_limit_name')})" if known else "unknown"
    names = ("headroom_bytes", "allocation_failure", "oom_kill_in_group", "oom_kill_on_host", "kernel_oom_line")
    return Reason(f"{text}; {words if known else 'how much was left is not known'}", sources_of(death, names))


def _word(rung: Rung) -> Reason:
    """Say what happened at one rung."""
    limit = f"{size(rung.limit_bytes)}, {rung.kind}" if rung.limit_bytes else "no confirmed limit"
    end = str(rung.look) if rung.look else f"the target lived ({rung.outcome})"
    where = "" if not rung.look else ", at its limit" if rung.at_limit else ", with room left or not known to be full"
    return Reason(f"at {rung.factor:g} x the peak ({limit}): {end}{where}", rung.sources)


def _against(death: Trial, rungs: tuple[Rung, ...]) -> Iterator[Reason]:
    """Yield what speaks against exhaustion whatever the reading: the same death under a limit that was not reached."""
    look = look_of(death)
    for rung in rungs:
        if rung.roomy and look and rung.look == look and look.sign is None:
            text = f"at {rung.factor:g} x the peak it died like {death.id}, though its limit was not reached"
            yield Reason(text, rung.sources)


def _gaps(rungs: tuple[Rung, ...], signature: tuple[Look, ...]) -> Iterator[Gap]:
    if not signature:
        yield Gap("memory ladder", "no rung was low enough to bring about exhaustion: add one below the lowest")
    for rung in rungs:
        if rung.limit_bytes is None:
            yield Gap(
                "memory ladder", f"the limit of rung {rung.factor:g} is not confirmed: {rung.trial_id} is no rung"
            )
    kinds = {rung.kind for rung in rungs if rung.kind}
    if kinds and not any(kind.startswith("RLIMIT") for kind in kinds) and not _has_allocation(signature):
        yield Gap(
            "memory ladder", "only control groups were used, which kill: no allocation was made to fail (RLIMIT_DATA)"
        )


def _has_allocation(signature: tuple[Look, ...]) -> bool:
    return any(look.sign is not None and look.sign.startswith(ALLOCATION) for look in signature)


__all__ = ["LITTLE", "PLENTY", "RUNGS", "LadderReading", "Look", "Rung", "compare", "countable_peak", "limits"]
