"""memory-exhaustion: use near a limit at death, or an allocation that failed.

Decided by the memory ladder: the same cell under limits at shares of its own peak shows what exhaustion looks like for
this very target on this machine, and the death under inquest is compared with that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.decide import memory_ladder
from harness.decide.hypotheses.calls import ending_signal
from harness.decide.hypotheses.case import Case, nothing_to_judge, unproven
from harness.model import Fact, Finding, Gap, Reason, Status, Trial
from harness.units import size

ID = "memory-exhaustion"
NEAR = 0.05  # of the limit
SIGNALS = ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS")


def predicts(trial: Trial) -> bool:
    """A kill, a fault after an unchecked allocation, or an error: running out of memory can look like each of them."""
    return (
        (ending_signal(trial) in SIGNALS and trial.exit.ended_by != "harness")
        or trial.value("python_error") is not None
        or bool(trial.exit.ntstatus)
    )


def judge(case: Case) -> Finding:
    """Established or ruled out by the ladder; supported by an allocation failure or little headroom; else open."""
    if not case.failures or case.study is None:
        return nothing_to_judge(ID)
    death = case.study.reference
    signs = tuple(reason for trial in (death, *case.unlike) for reason in _signs(trial))
    numbers = (*_headroom(death), *_course(death), *_survived_more(case, death))
    reading = case.ladder
    if reading is None:
        gap = Gap("memory ladder", "the failing cell has not been run under lower memory limits")
        return Finding(ID, Status.SUPPORTED if signs or _is_near(death) else Status.OPEN, (*signs, *numbers), (gap,))
    proven = case.is_proven(ID)
    status = _status(reading, bool(signs) or _is_near(death), proven)
    gaps = (*reading.gaps, *(() if proven else unproven(ID)))
    return Finding(ID, status, (*signs, *numbers, *reading.reasons), () if status is Status.ESTABLISHED else gaps)


def _status(reading: memory_ladder.LadderReading, has_signs: bool, proven: bool) -> Status:
    if reading.matches == memory_ladder.YES:
        return Status.ESTABLISHED
    if reading.matches == memory_ladder.NO and not has_signs and proven:
        return Status.RULED_OUT
    return Status.SUPPORTED if has_signs else Status.OPEN


def _signs(trial: Trial) -> list[Reason]:
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
    return found


def _headroom(trial: Trial) -> list[Reason]:
    known = _facts(trial, "headroom_bytes", "memory_limit_bytes", "peak_rss_bytes")
    if known is None:
        return []
    left, limit, peak = known
    text = (
        f"{trial.id}: peak {size(peak.value)}; when it died {size(left.value)} of {size(limit.value)} "
        f"were left ({trial.value('memory_limit_name')})"
    )
    return [Reason(text, (*peak.sources, *left.sources))]


def _course(trial: Trial) -> list[Reason]:
    """How use went: what sampling missed of the peak, which forward raised it, growth a step and where that leads."""
    told: tuple[tuple[str, Callable[[Any], str]], ...] = (
        ("peak_missed_by_sampling", _missed),
        ("peak_raised_by", lambda it: f"the peak was reached in {_forward(it)}, by a rise of {size(it['rise_bytes'])}"),
        ("growth_bytes_per_step", lambda it: f"use grew by {size(it)} a step" if it > 0 else ""),
        ("predicted_step_of_exhaustion", lambda it: f"at this growth the tightest limit is reached at step {it}"),
    )
    found = ((trial.fact(name), words) for name, words in told)
    rows = ((fact, words(fact.value)) for fact, words in found if fact is not None)
    return [Reason(f"{trial.id}: {text}", fact.sources) for fact, text in rows if text]


def _missed(peak: dict[str, int]) -> str:
    lower = f"sampling missed {size(peak['missed_bytes'])} of the kernel's peak"
    return f"{lower}, so what was left at the death may have been less"


def _forward(place: dict[str, object]) -> str:
    return f"{place['module']}, call {place['call']} of step {place['step']}" if place["module"] else "no forward"


def _is_near(trial: Trial) -> bool:
    known = _facts(trial, "headroom_bytes", "memory_limit_bytes")
    return known is not None and known[0].value < NEAR * known[1].value


def _facts(trial: Trial, *names: str) -> list[Fact] | None:
    found = [fact for name in names if (fact := trial.fact(name)) is not None]
    return found if len(found) == len(names) else None


def _survived_more(case: Case, dead: Trial) -> list[Reason]:
    """A trial that lived with a higher peak on the same machine speaks against memory."""
    peak = dead.peak_rss_bytes
    above = [trial for trial in case.survivors if peak and (trial.peak_rss_bytes or 0) > peak]
    if not above:
        return []
    most = max(above, key=lambda trial: trial.peak_rss_bytes or 0)
    fact = most.fact("peak_rss_bytes")
    text = f"{most.id} lived with a higher peak ({size(most.peak_rss_bytes)}) than {dead.id} died with ({size(peak)})"
    return [Reason(text, fact.sources if fact else ())]
