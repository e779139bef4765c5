"""What to run next once a failure is seen: repeat it, then change one thing at a time until all is decided; pure."""

from __future__ import annotations

import dataclasses

from harness import study
from harness.effects import Does
from harness.interventions import LARGE_STACK, NO_ONEDNN, ONE_THREAD, PLAIN_CPU, RUNGS, Intervention
from harness.ladder import countable_peak
from harness.model import Cell, Trial
from harness.study import Study

CONFIRM = 5  # trials of the failing cell as it is
MOST_PLAIN = 12  # where it fails only sometimes, up to this many
MOST_UNDER = 12  # trials under one intervention


@dataclasses.dataclass(frozen=True)
class Step:
    """One more trial: the cell, what is changed about it, and why."""

    cell: Cell
    why: str
    intervention: Intervention | None = None
    memory_limit_bytes: int | None = None


def next_step(trials: tuple[Trial, ...], confinement: str | None) -> Step | None:
    """Return the next trial, or None where nothing failed or every question that can be asked is answered.

    `confinement` is how memory can be limited here (None: not at all); what counts towards a limit depends on it.
    """
    case = study.of(trials)
    if case is None:
        return None
    if _needs_confirming(case):
        return Step(case.cell, f"does it fail again? {case.without} so far")
    steps = (_under(case, intervention, confinement) for intervention in wanted(case, confinement))
    return next((step for step in steps if step is not None), None)


def wanted(case: Study, confinement: str | None) -> list[Intervention]:
    """Return the interventions that can decide something about this failure, the telling ones first."""
    dead = case.reference
    chosen = [ONE_THREAD] if _has_threads(case) else []
    chosen += RUNGS if confinement and countable_peak(dead, confinement) else ()
    stack = " ".join(dead.value("crash_stack") or ()).lower()
    if dead.exit.signal == "SIGILL" or dead.exit.ntstatus == "0xC000001D":
        chosen.append(PLAIN_CPU)
    if dead.fact("stack_overflow") or dead.exit.ntstatus == "0xC00000FD":
        chosen.append(LARGE_STACK)
    if "dnnl" in stack or "mkldnn" in stack:
        chosen.append(NO_ONEDNN)
    return chosen


def _has_threads(case: Study) -> bool:
    """Whether fewer threads can be tried: the cell's own number, or where it has none, what torch said."""
    threads = case.cell.as_dict().get("threads") or case.reference.value("torch_threads") or 1
    return bool(threads != 1)


def _needs_confirming(case: Study) -> bool:
    count = case.without
    return len(case.plain) < CONFIRM or (count.failures < CONFIRM and len(case.plain) < MOST_PLAIN)


def _under(case: Study, intervention: Intervention, confinement: str | None) -> Step | None:
    done = case.under.get(intervention.id, ())
    if intervention.memory_share is not None:
        limit = int(intervention.memory_share * (countable_peak(case.reference, confinement) or 0))
        return None if done else Step(case.cell, f"memory ladder, limit {limit >> 20} MiB", intervention, limit)
    if case.does(intervention.id) is not Does.UNDECIDED or len(done) >= MOST_UNDER:
        return None
    return Step(case.cell, f"under {intervention.id}, trial {len(done) + 1}", intervention)
