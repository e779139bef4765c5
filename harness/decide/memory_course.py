"""What a death's memory looked like, in sentences: what was said, what was left, how use went, where it always ends.

Growth and peaks are the whole tree's where there was more than one process. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.decide.hypotheses.case import Case
from harness.decide.hypotheses.speaking import pro
from harness.model import Fact, Reason, Source, Speaks, Trial
from harness.units import size

NEAR = 0.05  # of the limit
SAME_USE = 0.05  # of the mean: use at the deaths that lies within it is the same
LEAST_DEATHS = 3
KILLS = ("SIGKILL", "SIGTERM")


def signs(trial: Trial) -> list[Reason]:
    """What the kernel and the program itself said of memory."""
    found = []
    killed, line, failed = (
        trial.fact("oom_kill_in_group"),
        trial.fact("kernel_oom_line"),
        trial.fact("allocation_failure"),
    )
    if killed and killed.value:
        found.append(Reason(f"{trial.id}: the kernel counted {killed.value} OOM kills in its group", killed.sources))
    if line:
        found.append(Reason(f"{trial.id}: the kernel says: {line.value['text']}", line.sources))
    if failed:
        found.append(Reason(f"{trial.id}: an allocation failed: {failed.value['text']}", failed.sources))
    return list(pro(found))


def headroom(trial: Trial) -> list[Reason]:
    """Return the peak, and what was left under the tightest limit when the first process died."""
    known = _facts(trial, "headroom_bytes", "memory_limit_bytes", "peak_rss_bytes")
    if known is None:
        return []
    left, limit, peak = known
    text = (
        f"{trial.id}: peak {size(peak.value)}; when it died {size(left.value)} of {size(limit.value)} "
        f"were left ({trial.value('memory_limit_name')})"
    )
    is_near = left.value < NEAR * limit.value
    return [Reason(text, (*peak.sources, *left.sources), Speaks.FOR if is_near else Speaks.AGAINST)]


def course(trial: Trial) -> list[Reason]:
    """How use went, where that speaks for memory: what sampling missed of the peak, growth a step, where it leads."""
    told: tuple[tuple[str, Callable[[Any], str]], ...] = (
        ("peak_missed_by_sampling", _missed),
        ("growth_bytes_per_step", lambda it: f"use grew by {size(it)} a step" if it > 0 else ""),
        ("tree_growth_bytes_per_step", lambda it: f"that of the whole tree by {size(it)} a step" if it > 0 else ""),
        ("predicted_step_of_exhaustion", lambda it: f"at this growth the tightest limit is reached at step {it}"),
    )
    found = ((trial.fact(name), words) for name, words in told)
    rows = ((fact, words(fact.value)) for fact, words in found if fact is not None)
    return [Reason(f"{trial.id}: {text}", fact.sources, Speaks.FOR) for fact, text in rows if text]


def _missed(peak: dict[str, int]) -> str:
    lower = f"sampling missed {size(peak['missed_bytes'])} of the kernel's peak"
    return f"{lower}, so what was left at the death may have been less"


def _facts(trial: Trial, *names: str) -> list[Fact] | None:
    found = [fact for name in names if (fact := trial.fact(name)) is not None]
    return found if len(found) == len(names) else None


def survived_more(case: Case, dead: Trial) -> list[Reason]:
    """A trial that lived with a higher peak on the same machine speaks against memory."""
    peak = dead.peak_rss_bytes
    above = [trial for trial in case.survivors if peak and (trial.peak_rss_bytes or 0) > peak]
    if not above:
        return []
    most = max(above, key=lambda trial: trial.peak_rss_bytes or 0)
    fact = most.fact("peak_rss_bytes")
    text = f"{most.id} lived with a higher peak ({size(most.peak_rss_bytes)}) than {dead.id} died with ({size(peak)})"
    return [Reason(text, fact.sources if fact else (), Speaks.AGAINST)]


def same_use(failures: Sequence[Trial]) -> list[Reason]:
    """A kill that always comes at the same use, while use grows, is what something that watches memory does."""
    killed = [trial for trial in failures if _is_killed(trial)]
    uses = [(use, trial) for trial in killed if (use := use_at_death(trial)) is not None]
    mean = sum(use for use, _ in uses) / len(uses) if uses else 0.0
    grew = [max(trial.value(name) or 0 for name in GROWTHS) for _, trial in uses]
    if len(uses) < LEAST_DEATHS or len(uses) < len(failures) or not all(grew):
        return []
    if any(abs(use - mean) > SAME_USE * mean for use, _ in uses):
        return []
    text = (
        f"it always came at the same use: {len(uses)} deaths at {size(round(mean))}, growing by {size(max(grew))} a "
        "step; earlyoom, systemd-oomd, slurmstepd and scripts watch memory and end programs so"
    )
    return [Reason(text, tuple(source for _, trial in uses for source in _use_sources(trial)), Speaks.FOR)]


GROWTHS = ("growth_bytes_per_step", "tree_growth_bytes_per_step")


def use_at_death(trial: Trial) -> int | None:
    """Return what the whole tree used at the last sample before the first death, in bytes."""
    used: int | None = trial.value("tree_use_at_death_bytes") or trial.value("rss_at_end_bytes")
    return used


def _use_sources(trial: Trial) -> tuple[Source, ...]:
    fact = trial.fact("tree_use_at_death_bytes") or trial.fact("rss_at_end_bytes")
    return fact.sources[:1] if fact else ()


def _is_killed(trial: Trial) -> bool:
    worker = trial.value("worker_death") or {}
    return (worker.get("signal") or trial.exit.signal) in KILLS and trial.exit.ended_by != "harness"
