"""What to run next once a failure is seen: what decides most a second, one thing changed at a time; pure.

Each trial that could be asked next is an offer: one more of the cell as it is, one more under the change in question,
a rung of the memory ladder. The offer with the most information a second (trial_worth.py) is taken; what only informs
comes once nothing is left to decide. How often the cell is repeated as it is: offers.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.decide import no_way_to_exhaust, offers, study, trial_worth
from harness.decide.effects import Does
from harness.decide.hypotheses import external_kill, interleaving, resource_limit, stack_overflow
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
    VARIABLES_ALONE,
)
from harness.decide.memory_ladder import NO, UNKNOWN, YES, compare, countable_peak
from harness.decide.memory_ladder_endings import is_near_limit
from harness.decide.offers import Offer, Step
from harness.decide.study import Study
from harness.launch import memory_limit as means_of
from harness.model import Cell, Control, Trial
from harness.plan.intervention import Intervention

MEMORY_FAULTS = ("SIGSEGV", "SIGBUS")


def next_step(trials: tuple[Trial, ...], confinement: str | None, controls: tuple[Control, ...] = ()) -> Step | None:
    """Return the next trial, or None where every question that can be asked is answered.

    `confinement` is how memory can be limited here (None: not at all); what counts towards a limit depends on it.
    `controls`: what is proven here.
    """
    case = study.of(trials)
    if case is None:
        return _unobserved(trials)
    if offers.is_observed(case):
        return None
    asked = wanted(case, confinement, controls)
    stages = (_deciding(case, asked, confinement), _informing(case, asked), offers.again(case, is_needed=False))
    made = next((found for stage in stages if (found := list(stage))), [])
    best = max(made, key=lambda offer: offer.worth, default=None)
    return best.step if best else None


def _deciding(case: Study, asked: list[Intervention], confinement: str | None) -> Iterator[Offer]:
    """Yield what the verdict still needs; one question after the other, as their number corrects each."""
    if offers.may_be_observed(case):
        yield from offers.again(case)
        return
    questions = [one for one in asked if _decides(case, one) and not offers.is_settled(case, one)]
    yield from offers.again(case, bool(questions))
    yield from offers.under(case, questions[:1])
    yield from _rungs(case, asked, confinement)


def _informing(case: Study, asked: list[Intervention]) -> Iterator[Offer]:
    """Yield what the verdict does not need, and a remedy may: which pool it is, and the like."""
    questions = [one for one in asked if one.memory_share is None and not offers.is_settled(case, one)]
    yield from offers.again(case, bool(questions))
    yield from offers.under(case, questions[:1])


def _unobserved(trials: tuple[Trial, ...]) -> Step | None:
    """Nothing failed: once with its own number of threads, since telling it one may be what keeps it alive, by a
    variable or otherwise; then once without the inside probes, since observing may be.

    Not where trials are ended alive, by steps or forwards: without the probes nobody would see when.
    """
    if not trials or not all(trial.outcome == "completed" for trial in trials):
        return None
    own = _with_own_threads(trials)
    if own is not None:
        return Step(own, "does it fail with its own number of threads?")
    asked = any(NO_PROBES.id in trial.interventions for trial in trials)
    return None if asked else Step(trials[0].cell, "does it fail unobserved?", NO_PROBES)


def _with_own_threads(trials: tuple[Trial, ...]) -> Cell | None:
    """Return the first cell that was told a number of threads, without it; None where none was, or it has been run."""
    told = next((trial.cell for trial in trials if "threads" in trial.cell.as_dict()), None)
    own = Cell(tuple((name, value) for name, value in told.factors if name != "threads")) if told else None
    return None if own in {trial.cell for trial in trials} else own


def wanted(case: Study, confinement: str | None, controls: tuple[Control, ...] = ()) -> list[Intervention]:
    """Return the interventions that can decide something about this failure, the telling ones first."""
    dead = case.reference
    chosen = [NO_PROBES] if dead.value("fault_in_probes") else []
    chosen += [ONE_THREAD] if offers.has_threads(case) else []
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
        yield from [VARIABLES_ALONE] if _may_be_a_variable(case) else []
        yield from [ONE_MKL_THREAD] if dead.value("static_mkl") or any("mkl" in name for name in copies) else []
        yield from [ONE_BLAS_THREAD] if "openblas" in copies else []
    left = case.does(ONE_THREAD.id) is Does.LEAVES  # then no pace of a pool plays a part
    if dead.value("openmp_runtimes") and (removes or (dead.outcome == "hung" and not left)):
        yield PASSIVE_WAIT


def _may_be_a_variable(case: Study) -> bool:
    """Whether a variable alone removes it, and torch can be given its threads all the same: by the cell's number."""
    dead, threads = case.reference, case.cell.as_dict().get("threads") or 1
    return case.does(ONE_OMP_THREAD.id) is Does.REMOVES and threads != 1 and dead.value("torch_threads") == threads


def _for_python_threads(case: Study) -> Iterator[Intervention]:
    """Yield what changes the order of Python's own threads, for a fault among them that no pool's number changes."""
    dead = case.reference
    overflow = dead.fact("stack_overflow") or dead.fact("no_stack_left")
    several = dead.exit.signal in interleaving.SIGNALS and interleaving.are_several(dead)
    if several and not overflow and case.does(ONE_THREAD.id) is not Does.REMOVES:
        yield LONG_SWITCH
        if interleaving.needs_turns(case):
            yield ONE_CORE


def _has_workers(case: Study) -> bool:
    """Whether the data loader's processes can be taken away: by the cell's or the configuration's number, or inside."""
    dead = case.reference
    told = case.cell.as_dict().get("num_workers", dead.value("num_workers"))
    return bool(dead.value("loader_workers") if told is None else told)


def _decides(case: Study, one: Intervention) -> bool:
    """Whether a finding that the verdict needs depends on an intervention's effect; rungs are looked at otherwise."""
    if one.memory_share is not None or _is_explained(case) or (one is NO_OWN_SIGNALS and _says(case, YES)):
        return one is NO_PROBES
    less = one is NO_WORKERS and resource_limit.predicts(case.reference)
    return less or one in (NO_PROBES, ONE_TORCH_THREAD, VARIABLES_ALONE) or one.isolates is not None


def _is_explained(case: Study) -> bool:
    """Whether what was seen of each death decides threads and stack: a stack that ran out, a runtime's own words."""
    dead = [trial for trial in case.plain if case.is_same(trial)]
    copies = [(trial.value("openmp_duplicate") or {}).get("paths", ()) for trial in dead]
    full, twice = all(map(stack_overflow.is_overflow, dead)), all(len(paths) > 1 for paths in copies)
    return bool(dead) and (full or twice)


def _rungs(case: Study, asked: list[Intervention], confinement: str | None) -> Iterator[Offer]:
    """Yield the next rung of the memory ladder, the tight ones first: they are short, and tell the most."""
    means = ladder_means(case.reference, confinement)
    peak = countable_peak(case.reference, means) or 0
    limits = [(one, int(one.memory_share * peak)) for one in asked if one.memory_share and one.id not in case.under]
    open_ = [(one, limit) for one, limit in limits if not _is_above_outer(case, limit, means)]
    tight = [(one, limit) for one, limit in open_ if (one.memory_share or 0) < 1]
    left = tight or ([] if _says(case, YES, NO) else open_)
    seconds = trial_worth.pace(case).expected_seconds(trial_worth.failing(case.without))
    for one, limit in left[:1]:
        step = Step(case.cell, f"memory ladder, limit {limit >> 20} MiB", one, limit, means)
        yield Offer(step, 1.0 / len(left), seconds)


def _says(case: Study, *words: str) -> bool:
    """Whether the tight rungs have told already, each by a sign of exhaustion: those with room cannot take it back.

    A death without a sign is compared with what the target does with room; then these are asked, too.
    """
    reading = compare(case.reference, case.rungs) if case.rungs else None
    return reading is not None and reading.matches in words and all(look.sign for look in reading.died_at.values())
