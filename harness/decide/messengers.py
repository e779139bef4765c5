"""Which deaths only report something deeper, and whether what they report stands unexplained; pure.

An uncaught exception, std::terminate with an exception, a failed assertion, a runtime's abort, and an exit that native
code asked for are messengers. Their own family is never the cause while a refusal near the death, or their own words
that name a resource, are not explained by a family that is established.
"""

from __future__ import annotations

import re

from harness.decide import judged, wants
from harness.decide.hypotheses.calls import ending_signal
from harness.decide.wants import Want
from harness.model import Gap, Reason, Trial

EXCEPTION, TERMINATE, ASSERTION = "an uncaught exception", "std::terminate", "a failed assertion"
RUNTIME, NATIVE_EXIT = "a runtime's abort", "an exit that native code asked for"
ASSERTED = re.compile(r"Assertion [`'\"].*failed|\bassertion failed\b|CHECK failed|Check failed:|panicked at")
RUNTIMES = re.compile(
    r"^libgomp: |^OMP: Error #|^OpenBLAS |^INTEL MKL (?:FATAL )?ERROR|memory allocation of \d+ bytes failed"
    r"|<jemalloc>: |There is insufficient memory for the Java Runtime|java\.lang\.OutOfMemoryError"
    r"|^fatal error: runtime|^runtime: (?:out of memory|cannot allocate)|tcmalloc: "
)
DAMAGE = re.compile(r"double free|corrupted|invalid (?:size|pointer|next)|stack smashing")
EXITS = ("exit", "native exit")
UNSEEN = Gap("refusals", "what the system refused was not recorded, and what ended the program reports an error")


def kind(trial: Trial, lines: tuple[str, ...] = ()) -> str | None:
    """Return what kind of messenger a death is, or None; `lines` are those of its stderr."""
    if not trial.outcome.is_failure:
        return None
    if ending_signal(trial) == "SIGABRT":
        return _abort(trial, lines)
    death = judged.of(trial)
    if death.code is None:
        return None
    if death.error is not None:
        return EXCEPTION
    exits = [fact.value["call"] for fact in trial.facts if fact.name == "exit_call"]
    return NATIVE_EXIT if any(call in EXITS for call in exits) else None


def _abort(trial: Trial, lines: tuple[str, ...]) -> str | None:
    """What glibc prints of a damaged heap is no messenger: the damage is native code's own."""
    last = lines[-60:]
    if any(DAMAGE.search(line) for line in last):
        return None
    if trial.fact("terminate_exception") is not None:
        return TERMINATE
    found = ((RUNTIME, RUNTIMES), (ASSERTION, ASSERTED))
    return next((name for name, words in found if any(words.search(line) for line in last)), None)


def unexplained(trial: Trial) -> Want | None:
    """Return what a death was refused, or says that it was, and that its own family does not explain."""
    found = wants.of(trial)
    weighty = [want for want in found if want.by != "refusal" or want.is_full is not False]
    return next(iter(sorted(weighty, key=lambda want: not want.is_observed)), None)


def standing(trials: list[Trial] | tuple[Trial, ...]) -> tuple[tuple[Reason, ...], tuple[Gap, ...]]:
    """Return the sentences and the gaps of what stands unexplained in these deaths; empty where nothing does."""
    found = [(trial, want) for trial in trials if (want := unexplained(trial)) is not None]
    reasons = tuple(Reason(f"{trial.id}: {want.text}", want.sources) for trial, want in found[:3])
    names = ", ".join(dict.fromkeys(want.resource for _, want in found))
    gap = Gap("what was refused", f"the death reports a want ({names}) that no established cause explains")
    return reasons, (gap,) if found else ()
