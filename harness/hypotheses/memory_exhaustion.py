"""memory-exhaustion: use near a limit at death, or an allocation that failed."""

from __future__ import annotations

from harness.hypotheses.case import Case, nothing_to_judge
from harness.model import Finding, Gap, Reason, Status, Trial
from harness.report.units import size

ID = "memory-exhaustion"
NEAR = 0.05  # of the machine's memory
TEXTS = (
    "DefaultCPUAllocator", "std::bad_alloc", "MemoryError", "Cannot allocate memory", "could not create a primitive",
    "out of memory", "Out of memory", "not enough memory",
)  # fmt: skip


def predicts(trial: Trial) -> bool:
    """A kill, a fault after an unchecked allocation, or an error: running out of memory can look like each of them."""
    return (
        (trial.exit.signal in ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS") and trial.exit.ended_by != "harness")
        or trial.value("python_error") is not None
        or bool(trial.exit.ntstatus)
    )


def judge(case: Case) -> Finding:
    """Supported by an allocation failure in words, or by little headroom at death; else open, with the numbers."""
    if not case.failures:
        return nothing_to_judge(ID)
    words = tuple(reason for trial in case.failures for reason in _allocation_failures(case, trial))
    near = tuple(reason for trial in case.failures for reason in _headroom(trial, near=True))
    against = tuple(
        reason for trial in case.failures for reason in (*_headroom(trial, near=False), *_survived_more(case, trial))
    )
    gaps = (
        Gap(
            "memory ladder",
            "the failing cell has not been run under lower memory limits, so the look of exhaustion is not known",
        ),
        *(
            ()
            if case.is_proven(ID)
            else (Gap("control of memory-exhaustion", "no induced exhaustion has been run on this machine"),)
        ),
    )
    return Finding(ID, Status.SUPPORTED if words or near else Status.OPEN, words + near + against, gaps)


def _allocation_failures(case: Case, trial: Trial) -> list[Reason]:
    return [
        Reason(f"{trial.id}: an allocation failed: {line}", (source,))
        for line, source in case.stderr_lines(trial, TEXTS)
    ]


def _headroom(trial: Trial, near: bool) -> list[Reason]:
    """Word the headroom at death; only where it is (not) near a limit, as asked."""
    left, limit, peak = trial.fact("headroom_bytes"), trial.fact("memory_limit_bytes"), trial.fact("peak_rss_bytes")
    if left is None or limit is None or peak is None or (left.value < NEAR * limit.value) is not near:
        return []
    text = (
        f"{trial.id}: peak {size(peak.value)}; when it died {size(left.value)} of {size(limit.value)} "
        f"were left ({trial.value('memory_limit_name')})"
    )
    return [Reason(text, (*peak.sources, *left.sources))]


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
