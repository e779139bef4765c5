"""Why a failure that one thread removes may not need its threads: one thread is asked for by variables as well. Pure.

A program may choose what it does by a variable, may report what it was refused, or may never have had a second thread.
"""

from __future__ import annotations

from harness.decide import messengers, wants
from harness.decide.effects import Does
from harness.decide.hypotheses.case import Case, exit_source
from harness.decide.interventions import ONE_OMP_THREAD, ONE_TORCH_THREAD, VARIABLES_ALONE
from harness.model import Reason, Trial

POOLS = ("gomp", "iomp", "libomp", "kmp", "vcomp", "blas", "mkl", "tbb", "pthreadpool", "parallel")  # in frames' names


def reasons(case: Case) -> tuple[Reason, ...]:
    """Return why one thread may not be what removes the failure, only a variable that asks for it."""
    assert case.study is not None
    same = [trial for trial in case.study.plain if case.study.is_same(trial)]
    reports = [one for one in same if messengers.kind(one, case.stderr.get(one.id, ()))]
    unseen = [trial for trial in reports if not wants.is_watched(trial)]
    if unseen:
        text = "it ends by reporting something, and what was refused is not recorded: threads may be what it wanted"
        return (Reason(text, tuple(exit_source(trial) for trial in unseen)),)
    if any(_is_of_a_pool(trial) for trial in same):
        return ()
    does, told = case.effect(ONE_TORCH_THREAD.id)
    if does is Does.LEAVES and case.study.reference.outcome != "hung":
        text = "torch at one thread leaves it, so the number of torch's threads is no condition: a variable chooses it"
        return (Reason(text, told[0].evidence),)
    if does is Does.UNDECIDED and (case.study.reference.value("torch_threads") or 1) > 1:
        text = "nothing shows a pool at work, and torch alone has not been asked for one thread often enough"
        return (Reason(text, tuple(exit_source(trial) for trial in same)),)
    chosen = _is_chosen_by_a_variable(case, same)
    if chosen:
        return chosen
    if all(trial.value("threads_max") == 1 for trial in same):
        text = f"in none of {len(same)} deaths was a second thread seen: a variable may choose it"
        return (Reason(text, tuple(exit_source(trial) for trial in same)),)
    return ()


def _is_chosen_by_a_variable(case: Case, same: list[Trial]) -> tuple[Reason, ...]:
    """Return what says that a variable removes it while no fewer threads run: then it is not their number."""
    assert case.study is not None
    most = max((one.value("threads_max") or 0 for one in same), default=0)
    for changed in (VARIABLES_ALONE, ONE_OMP_THREAD):
        does, told = case.effect(changed.id)
        lived = [one for one in case.study.under.get(changed.id, ()) if one.outcome == "completed"]
        fewest = min((one.value("threads_max") or 0 for one in lived), default=0)
        if does is Does.REMOVES and (2 <= most <= fewest or (changed is VARIABLES_ALONE and _has_torch_s(same, lived))):
            text = f"{changed.id} alone removes it, and there were {fewest} threads as in the deaths"
            return (Reason(f"{text}: a variable chooses it", told[0].evidence),)
    return ()


def _has_torch_s(same: list[Trial], lived: list[Trial]) -> bool:
    """Whether torch had as many threads as in the deaths, more than one, in each trial that lived."""
    had, has = ({one.value("torch_threads") for one in trials} for trials in (same, lived))
    return bool(has) and had == has and None not in has and min(has) > 1


def _is_of_a_pool(trial: Trial) -> bool:
    """Whether the fault lies in a pool's worker, or below a function of a runtime of threads."""
    thread = trial.value("fault_thread") or {}
    frames = " ".join(str(frame) for frame in trial.value("crash_stack") or ()).lower()
    return thread.get("known_to_python") is False or any(name in frames for name in POOLS)
