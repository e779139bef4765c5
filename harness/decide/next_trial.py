"""What to run next once a failure is seen: repeat it, then change one thing at a time until all is decided; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from harness.decide import no_way_to_exhaust, observed, study
from harness.decide.effects import Does
from harness.decide.hypotheses import external_kill, interleaving, resource_limit
from harness.decide.hypotheses.calls import ending_signal
from harness.decide.interventions import (
    BOTH_COPIES,
    LARGE_STACK,
    LIFTED_LIMITS,
    LONG_SWITCH,
    LOW_RUNGS,
    NO_ONEDNN,
    NO_OWN_SIGNALS,
    NO_PROBES,
    NO_WORKERS,
    ONE_BLAS_THREAD,
    ONE_CORE,
    ONE_MKL_THREAD,
    ONE_OMP_THREAD,
    ONE_THREAD,
    ONE_TORCH_THREAD,
    PASSIVE_WAIT,
    PLAIN_CPU,
    RUNGS,
)
from harness.decide.memory_ladder import UNKNOWN, compare, countable_peak
from harness.decide.memory_ladder_endings import is_near_limit
from harness.decide.study import Study
from harness.launch import memory_limit as means_of
from harness.model import Cell, Control, Trial
from harness.plan.intervention import Intervention

CONFIRM = 5  # trials of the failing cell as it is
CONFIRM_OBSERVED = 3  # where what ended it was seen: no chance is to be excluded, only another failure
MOST_PLAIN = 12  # where it fails only sometimes, up to this many
MOST_UNDER = 12  # trials under one intervention
MEMORY_FAULTS = ("SIGSEGV", "SIGBUS")


@dataclasses.dataclass(frozen=True)
class Step:
    """One more trial: the cell, what is changed about it, and why. `means`: by which a memory limit is set."""

    cell: Cell
    why: str
    intervention: Intervention | None = None
    memory_limit_bytes: int | None = None
    means: str | None = None


def next_step(trials: tuple[Trial, ...], confinement: str | None, controls: tuple[Control, ...] = ()) -> Step | None:
    """Return the next trial, or None where every question that can be asked is answered.

    `confinement` is how memory can be limited here (None: not at all); what counts towards a limit depends on it.
    `controls`: what is proven here.
    """
    case = study.of(trials)
    if case is None:
        return _unobserved(trials)
    if is_observed(case):
        return None
    if _needs_confirming(case):
        return Step(case.cell, f"does it fail again? {case.without} so far")
    steps = (_under(case, intervention, confinement) for intervention in wanted(case, confinement, controls))
    return next((step for step in steps if step is not None), None)


def is_observed(case: Study) -> bool:
    """Whether each death of the cell was seen to be of one family: what was refused, or who sent the signal."""
    return len(case.dead) >= CONFIRM_OBSERVED and observed.only(case.dead) is not None


def _unobserved(trials: tuple[Trial, ...]) -> Step | None:
    """Nothing failed: once, the first cell without the inside probes, since observing may be what keeps it alive.

    Not where trials are ended alive, by steps or forwards: without the probes nobody would see when.
    """
    asked = any(NO_PROBES.id in trial.interventions for trial in trials)
    alive = all(trial.outcome == "completed" for trial in trials)
    if not trials or asked or not alive:
        return None
    return Step(trials[0].cell, "does it fail unobserved?", NO_PROBES)


def wanted(case: Study, confinement: str | None, controls: tuple[Control, ...] = ()) -> list[Intervention]:
    """Return the interventions that can decide something about this failure, the telling ones first."""
    dead = case.reference
    chosen = [NO_PROBES] if dead.value("fault_in_probes") else []
    chosen += [ONE_THREAD] if _has_threads(case) else []
    chosen += _ladder(case, confinement, controls)
    chosen += _for_ending(dead)
    chosen += _for_pools(case)
    chosen += _for_python_threads(case)
    chosen += [NO_WORKERS] if _has_workers(case) else []
    return chosen


def _ladder(case: Study, confinement: str | None, controls: tuple[Control, ...]) -> tuple[Intervention, ...]:
    """Return the rungs; the lower ones one by one, as long as no limit has shown what exhaustion looks like.

    None where exhausted memory had no way to act: then there is nothing to compare with.
    """
    if no_way_to_exhaust.reasons(case.dead, controls):
        return ()
    if not confinement or not countable_peak(case.reference, ladder_means(case.reference, confinement)):
        return ()
    done = dict(case.rungs)
    means = ladder_means(case.reference, confinement)
    peak = countable_peak(case.reference, means) or 0
    climbed = all(
        rung.memory_share in done or _is_above_outer(case, int((rung.memory_share or 0) * peak), means)
        for rung in RUNGS
    )
    needed = next((rung for rung in LOW_RUNGS if rung.memory_share not in done), None)
    reading = compare(case.reference, case.rungs) if climbed else None
    told = reading is None or reading.matches != UNKNOWN or bool(reading.signature_of_exhaustion)
    return RUNGS if told or needed is None else (*RUNGS, needed)


def _is_above_outer(case: Study, limit: int, means: str | None) -> bool:
    """Whether a rung would lie above a limit that holds anyway: then it would be none."""
    outer = case.reference.value("outer_memory_limit_bytes")
    return outer is not None and limit >= outer and not str(means).startswith("RLIMIT")


def ladder_means(dead: Trial, confinement: str | None) -> str | None:
    """Return by which means the ladder's limits are set: the resource limit where the death was near one.

    A control group kills and never refuses an allocation, so it cannot show what a refused one looks like.
    """
    name = str(dead.value("memory_limit_name") or "")
    return means_of.rlimit() if confinement and name.startswith("RLIMIT") and is_near_limit(dead) else confinement


def _for_ending(dead: Trial) -> Iterator[Intervention]:
    """Yield what the way in which it ended calls for."""
    stack = " ".join(dead.value("crash_stack") or ()).lower()
    if external_kill.predicts(dead):
        yield NO_OWN_SIGNALS
    if resource_limit.predicts(dead):
        yield LIFTED_LIMITS
    if ending_signal(dead) == "SIGILL" or dead.exit.ntstatus == "0xC000001D":
        yield PLAIN_CPU
    unknown = ending_signal(dead) in MEMORY_FAULTS and dead.fact("fault_address") is None
    if dead.fact("stack_overflow") or dead.exit.ntstatus == "0xC00000FD" or unknown:
        yield LARGE_STACK
    if dead.fact("openmp_duplicate"):
        yield BOTH_COPIES
    if "dnnl" in stack or "mkldnn" in stack:
        yield NO_ONEDNN


def _for_pools(case: Study) -> Iterator[Intervention]:
    """Yield the thread variables one at a time where all together remove it, and another way to wait for work."""
    dead = case.reference
    removes = case.does(ONE_THREAD.id) is Does.REMOVES
    copies = dead.value("blas_copies") or {}
    if removes:
        yield ONE_OMP_THREAD
        yield from [ONE_TORCH_THREAD] if dead.value("torch_threads") else []
        yield from [ONE_MKL_THREAD] if dead.value("static_mkl") or any("mkl" in name for name in copies) else []
        yield from [ONE_BLAS_THREAD] if "openblas" in copies else []
    if dead.value("openmp_runtimes") and (removes or dead.outcome == "hung"):
        yield PASSIVE_WAIT


def _for_python_threads(case: Study) -> Iterator[Intervention]:
    """Yield what changes the order of Python's own threads, for a fault among them that no pool's number changes."""
    dead = case.reference
    overflow = dead.fact("stack_overflow") or dead.fact("no_stack_left")
    several = dead.exit.signal in interleaving.SIGNALS and (dead.value("python_threads_at_work") or 1) > 1
    if several and not overflow and case.does(ONE_THREAD.id) is not Does.REMOVES:
        yield LONG_SWITCH
        if case.does(LONG_SWITCH.id) is Does.LEAVES and (dead.value("busy_threads") or 1) > 1:
            yield ONE_CORE


def _has_threads(case: Study) -> bool:
    """Whether fewer threads can be tried: the cell's own number, or where it has none, what torch said."""
    threads = case.cell.as_dict().get("threads") or case.reference.value("torch_threads") or 1
    return bool(threads != 1)


def _has_workers(case: Study) -> bool:
    """Whether the data loader's processes can be taken away: by the cell's or the configuration's number, or inside."""
    dead = case.reference
    told = case.cell.as_dict().get("num_workers", dead.value("num_workers"))
    return bool(dead.value("loader_workers") if told is None else told)


def _needs_confirming(case: Study) -> bool:
    count = case.without
    return len(case.plain) < CONFIRM or (count.failures < CONFIRM and len(case.plain) < MOST_PLAIN)


def _under(case: Study, intervention: Intervention, confinement: str | None) -> Step | None:
    done = case.under.get(intervention.id, ())
    if intervention.memory_share is not None:
        means = ladder_means(case.reference, confinement)
        limit = int(intervention.memory_share * (countable_peak(case.reference, means) or 0))
        why = f"memory ladder, limit {limit >> 20} MiB"
        return None if done or _is_above_outer(case, limit, means) else Step(case.cell, why, intervention, limit, means)
    if case.does(intervention.id) is not Does.UNDECIDED or len(done) >= MOST_UNDER:
        return None
    return Step(case.cell, f"under {intervention.id}, trial {len(done) + 1}", intervention)
