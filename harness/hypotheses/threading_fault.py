"""threading-fault: needs more than one thread; two OpenMP runtimes; a pool worker at fault."""

from __future__ import annotations

from collections import defaultdict

from harness.hypotheses.case import Case, exit_source, nothing_to_judge
from harness.model import Finding, Gap, Reason, Source, Status, Trial
from harness.search.statistics import rate_below

ID = "threading-fault"


def predicts(trial: Trial) -> bool:
    """Races, damaged pools and deadlocks end as faults, aborts or hangs."""
    return (
        trial.exit.signal in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")
        or trial.outcome == "hung"
        or bool(trial.exit.ntstatus)
    )


def judge(case: Case) -> Finding:
    """Supported where failures are seen at N threads and none at 1, or two OpenMP runtimes are loaded; else open."""
    if not case.failures:
        return nothing_to_judge(ID)
    vanishing, against = _by_threads(case)
    runtimes = [reason for trial in case.failures[:1] for reason in _runtimes(trial)]
    duplicated = any(len(trial.value("openmp_runtimes") or ()) > 1 for trial in case.failures)
    status = Status.SUPPORTED if vanishing or duplicated else Status.OPEN
    gap = Gap(
        "repeats at 1 thread", "too few trials to tell a failure that is gone from one that did not happen to strike"
    )
    workers = [reason for trial in case.failures for reason in _worker(trial)]
    return Finding(ID, status, tuple([*vanishing, *against, *workers, *runtimes]), (gap,))


def _by_threads(case: Case) -> tuple[list[Reason], list[Reason]]:
    """Compare 1 thread with N threads within cells that are otherwise equal: reasons for, reasons against."""
    groups: dict[tuple[tuple[str, str], ...], dict[int, list[Trial]]] = defaultdict(lambda: defaultdict(list))
    for trial in case.trials:
        rest = tuple((name, str(value)) for name, value in trial.cell.factors if name != "threads")
        if "threads" in trial.factors:
            groups[rest][trial.factors["threads"]].append(trial)
    supporting, against = [], []
    for rest, by_threads in groups.items():
        where = ", ".join(f"{name}={value}" for name, value in rest) or "this cell"
        single = by_threads.get(1, [])
        many = [trial for threads, trials in by_threads.items() if threads > 1 for trial in trials]
        dead = [trial for trial in many if trial.outcome.is_failure]
        dead_single = [trial for trial in single if trial.outcome.is_failure]
        if dead_single:
            against.append(
                Reason(f"{where}: fails at 1 thread too ({len(dead_single)} of {len(single)})", _sources(dead_single))
            )
        elif dead and single:
            supporting.append(_vanishes(where, single, many, dead))
    return supporting, against


def _vanishes(where: str, single: list[Trial], many: list[Trial], dead: list[Trial]) -> Reason:
    text = (
        f"{where}: {len(dead)} of {len(many)} trials failed with more than one thread, 0 of {len(single)} with one; "
        f"that alone bounds the rate at 1 thread below {rate_below(len(single)):.0%} (95 % confidence)"
    )
    return Reason(text, _sources(dead + single))


def _worker(trial: Trial) -> list[Reason]:
    """A fault on a thread that native code started, a pool's worker; which supports, and decides nothing."""
    fact = trial.fact("fault_thread")
    if fact is None or fact.value["known_to_python"] is not False:
        return []
    text = f"{trial.id}: the faulting thread {fact.value['tid']} ({fact.value['name']}) is unknown to Python"
    return [Reason(f"{text}: native code started it, as a pool does its workers", fact.sources)]


def _runtimes(trial: Trial) -> list[Reason]:
    fact = trial.fact("openmp_runtimes")
    if fact is None:
        return []
    names = ", ".join(path.replace("\\", "/").split("/")[-1] for path in fact.value) or "none"
    text = f"OpenMP runtimes loaded: {names}" + (
        " (more than one: a known cause of crashes)" if len(fact.value) > 1 else ""
    )
    return [Reason(text, fact.sources)]


def _sources(trials: list[Trial]) -> tuple[Source, ...]:
    return tuple(exit_source(trial) for trial in trials)
