"""Where every thread was Python's own, and no runtime of a pool was loaded, no pool can have been at fault; pure.

Not for a signal's death: two of Python's threads can race without a pool, which another order of theirs decides.
"""

from __future__ import annotations

from harness.decide.hypotheses.calls import ending_signal
from harness.decide.hypotheses.case import Case, exit_source
from harness.decide.hypotheses.interleaving import SIGNALS
from harness.model import Reason, Trial

LEAST = 3  # failures
RUNTIMES = ("openmp_runtimes", "openmp_copies", "blas_copies", "tbb_copies")


def reasons(case: Case) -> tuple[Reason, ...]:
    """Return why no pool can have had a part in any failure; nothing where one may have been there."""
    if len(case.failures) < LEAST or not all(map(_had_none, case.failures)):
        return ()
    most = max(trial.value("threads_max") for trial in case.failures)
    text = f"in {len(case.failures)} failures no thread but Python's own was seen (at most {most} at once), and no "
    facts = [fact for trial in case.failures[:LEAST] for fact in (trial.fact("threads_max"),) if fact]
    sources = tuple(source for fact in facts for source in fact.sources) or (exit_source(case.failures[0]),)
    return (Reason(f"{text}runtime that has a pool of threads was loaded", sources),)


def _had_none(trial: Trial) -> bool:
    seen, own = trial.value("threads_max"), trial.value("python_threads_most")
    if seen is None or own is None or trial.fact("openmp_runtimes") is None or ending_signal(trial) in SIGNALS:
        return False
    return seen <= own and not any(trial.value(name) for name in RUNTIMES)
