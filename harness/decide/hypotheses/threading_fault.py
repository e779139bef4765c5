"""threading-fault: needs more than one thread of a pool; two OpenMP runtimes; a pool worker at fault.

Decided by one intervention: the same cell at one thread. It removes the failure: established. The same failure comes
back under it: ruled out, as more than one thread is then no necessary condition. One thread is asked for by variables
as well, and a program may choose what it does by a variable: where telling torch alone leaves the failure, or where no
second thread was ever seen, nothing is established. Ruled out as well where something else was seen to end it.
"""

from __future__ import annotations

import re

from harness.decide import observed, wants
from harness.decide.effects import Does
from harness.decide.hypotheses import contradictions, interleaving, no_pool, resource_limit, stack_overflow
from harness.decide.hypotheses.calls import ending_signal
from harness.decide.hypotheses.case import Case, exit_source, nothing_to_judge, ruled_out
from harness.decide.hypotheses.speaking import by_effect, con, pro
from harness.decide.interventions import (
    ONE_BY_ONE,
    ONE_THREAD,
    PASSIVE_WAIT,
    VARIABLES_ALONE,
)
from harness.model import Finding, Gap, Reason, Source, Status, Trial

ID = "threading-fault"
SIGNALS = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")
SAME_DEATHS = 3
DAEMON = re.compile(r"^Fatal Python error: .* at interpreter shutdown, possibly due to daemon threads")
VARIABLE = Gap("threads", "a variable that also asks for fewer threads removes it, but no threads were shown to matter")


def predicts(trial: Trial) -> bool:
    """Races, damaged pools and deadlocks end as faults, aborts or hangs."""
    return ending_signal(trial) in SIGNALS or trial.outcome == "hung" or bool(trial.exit.ntstatus)


def judge(case: Case) -> Finding:
    """Established, ruled out or open by the trials at one thread; supported by more than one OpenMP runtime."""
    if not case.failures or case.study is None:
        return nothing_to_judge(ID)
    does, effect = case.effect(ONE_THREAD.id)
    signs = tuple(reason for trial in case.failures[:3] for reason in (*_worker(trial), *_runtimes(trial)))
    signs = pro((*_copies(case), *signs))
    single = con((*_at_one_thread(case), *no_pool.reasons(case)))
    told = by_effect(does, effect)
    if is_duplicate(case):
        return Finding(ID, Status.ESTABLISHED, (*pro(_copies(case)), *told))
    if is_of_a_daemon(case):
        return Finding(ID, Status.ESTABLISHED, (*pro(_daemons(case)), *told))
    elsewhere = _elsewhere(case)
    if elsewhere:
        return ruled_out(case, ID, (*elsewhere, *told, *signs))
    if stack_overflow.is_explained(case):
        return _of_the_stack(case, told)
    return _by_interventions(case, (*told, *interleaving.told(case)), single, signs)


def _by_interventions(
    case: Case, effect: tuple[Reason, ...], single: tuple[Reason, ...], signs: tuple[Reason, ...]
) -> Finding:
    """Return what one thread, another order of Python's threads, and torch alone at one thread say together."""
    does, order = case.effect(ONE_THREAD.id)[0], interleaving.removes(case)
    contradiction = contradictions.reasons(case) if does is Does.REMOVES and not order else ()
    if contradiction:
        return Finding(ID, Status.OPEN, (*effect, *con(contradiction), *_which_pool(case), *signs), (VARIABLE,))
    if does is Does.REMOVES or order:
        return Finding(ID, Status.ESTABLISHED, (*pro(order), *effect, *_which_pool(case), *signs))
    if interleaving.is_undecided(case) and not _is_mixed(case):
        gap = Gap("repeats in another order", "whether the order of Python's own threads plays a part is not decided")
        return Finding(ID, Status.OPEN, (*effect, *single, *signs), (gap,))
    if ((does is Does.LEAVES and _took_hold(case)) or single) and not _is_mixed(case):
        return ruled_out(case, ID, (*effect, *single, *signs))
    return Finding(ID, Status.SUPPORTED if _is_mixed(case) else Status.OPEN, (*effect, *single, *signs), _gaps(case))


def is_duplicate(case: Case) -> bool:
    """Whether in every failure an OpenMP runtime said that it ends the program for another copy, and both are known."""
    told = [trial.value("openmp_duplicate") for trial in case.failures]
    return bool(told) and all(value and len(value["paths"]) > 1 for value in told)


def is_of_a_daemon(case: Case) -> bool:
    """Whether in every failure the interpreter ended the program for a lock that a daemon thread never gave back.

    A buffered stream asks for its lock at the interpreter's end, and aborts where the owner was stopped with it.
    Source: _enter_buffered_busy() in CPython's Modules/_io/bufferedio.c.
    """
    return bool(case.failures) and len(_daemons(case)) == len(case.failures)


def _daemons(case: Case) -> tuple[Reason, ...]:
    said = [
        (trial, number, line)
        for trial in case.failures
        for number, line in enumerate(case.stderr.get(trial.id, ()), 1)
        if ending_signal(trial) == "SIGABRT" and DAEMON.match(line)
    ]
    last = {trial.id: (number, line) for trial, number, line in said}
    return tuple(
        Reason(
            f"{name}: the interpreter ended the program by its own words, for a daemon thread had a lock when it was "
            f"stopped: {line.strip()}",
            (Source(f"trials/{name}/stderr.log", number),),
        )
        for name, (number, line) in last.items()
    )


def _copies(case: Case) -> tuple[Reason, ...]:
    told = ((trial, trial.fact("openmp_duplicate")) for trial in case.failures[:SAME_DEATHS])
    return tuple(
        Reason(
            f"{trial.id}: the OpenMP runtime {fact.value['initializing']} ended the program by its own words, for it "
            f"found {fact.value['found']} there already: {' and '.join(fact.value['paths']) or 'no file is known'}",
            fact.sources,
        )
        for trial, fact in told
        if fact is not None
    )


def _of_the_stack(case: Case, effect: tuple[Reason, ...]) -> Finding:
    """Fewer threads leave the work to one that has a larger stack: that it is then gone says nothing of a race."""
    text = "a stack that ran out is what failed: with one thread the work is done where there is more of it"
    reasons = (Reason(text, tuple(exit_source(trial) for trial in case.failures[:SAME_DEATHS])), *effect)
    return ruled_out(case, ID, reasons)


def _elsewhere(case: Case) -> tuple[Reason, ...]:
    """Return what was seen to end each failure: a refusal or a sender; or a limit, which fewer threads stay below."""
    if observed.known(case.failures) is not None:
        first = case.failures[0]
        seen = observed.of(first) or [want for want in wants.of(first) if want.is_full]
        return tuple(Reason(f"{first.id}: {one.text}", one.sources) for one in seen[:1])
    if not resource_limit.is_removed_by_less(case):
        return ()
    text = "what the program was refused is a limit: with less need it is gone, and no refusal was left"
    return (Reason(text, resource_limit.judge(case).reasons[0].evidence),)


def _gaps(case: Case) -> tuple[Gap, ...]:
    does, effect = case.effect(ONE_THREAD.id)
    numbers = f" ({effect[0].text})" if effect else ""
    undecided = f"the trials at one thread do not decide yet{numbers}"
    return (Gap("repeats at one thread", undecided if does is Does.UNDECIDED else "more than one OpenMP runtime"),)


def _which_pool(case: Case) -> tuple[Reason, ...]:
    """What each variable does alone, and waiting without spinning: which pool it is, and whether its pace matters."""
    told = ((one.id, by_effect(*case.effect(one.id))) for one in (*ONE_BY_ONE, VARIABLES_ALONE, PASSIVE_WAIT))
    return tuple(
        Reason(f"{reason.text}{_torch_had(case, name)}", reason.evidence, reason.speaks)
        for name, reasons in told
        for reason in reasons
    )


def _torch_had(case: Case, intervention: str) -> str:
    """Torch's own number under an intervention: it may follow another variable than the one that was set."""
    under = case.study.under.get(intervention, ()) if case.study else ()
    numbers = {trial.value("torch_threads") for trial in under} - {None}
    plural = "" if numbers == {1} else "s"
    return f"; torch then had {', '.join(map(str, sorted(numbers)))} thread{plural}" if numbers else ""


def _took_hold(case: Case) -> bool:
    """Whether no death at one thread is known to have had more: a program may set its own number."""
    assert case.study is not None
    dead = [trial for trial in case.study.under[ONE_THREAD.id] if case.study.is_same(trial)]
    return all((trial.value("torch_threads") or 1) == 1 for trial in dead)


def _at_one_thread(case: Case) -> tuple[Reason, ...]:
    """A cell that has one thread anyway, or a process that never had more than one, and still fails the same way."""
    assert case.study is not None
    same = [trial for trial in case.study.plain if case.study.is_same(trial)]
    told = [trial for trial in same if trial.factors.get("threads") == 1 and (trial.value("torch_threads") or 1) == 1]
    alone = [trial for trial in same if trial in told or trial.value("threads_max") == 1]
    if len(alone) < SAME_DEATHS:
        return ()
    sources = tuple(exit_source(trial) for trial in alone)
    single = all(trial.value("threads_max") in (1, None) for trial in alone)
    where = "in a process of one thread" if single else "with one thread in each pool"
    return (Reason(f"the same failure came {len(alone)} times {where}", sources),)


def _is_mixed(case: Case) -> bool:
    """Whether two OpenMP runtimes, or two copies of one, were loaded: they can damage each other at one thread too."""
    copies = [trial.value("openmp_copies") or {} for trial in case.failures]
    return any(trial.value("openmp_mix") for trial in case.failures) or any(
        len(paths) > 1 for found in copies for paths in found.values()
    )


def _worker(trial: Trial) -> list[Reason]:
    """A fault on a thread that native code started, a pool's worker; which supports, and decides nothing."""
    fact = trial.fact("fault_thread")
    if fact is None or fact.value["known_to_python"] is not False:
        return []
    text = f"{trial.id}: the faulting thread {fact.value['tid']} ({fact.value['name']}) is unknown to Python"
    return [Reason(f"{text}: native code started it, as a pool does its workers", fact.sources)]


def _runtimes(trial: Trial) -> list[Reason]:
    """More than one OpenMP runtime, or copies of one; a single one is nothing that a program should not have."""
    loaded, mix, copies = map(trial.fact, ("openmp_runtimes", "openmp_mix", "openmp_copies"))
    if loaded is not None and len(loaded.value) > 1:
        names = ", ".join(path.replace("\\", "/").split("/")[-1] for path in loaded.value)
        return [Reason(f"{trial.id}: OpenMP runtimes loaded: {names}", loaded.sources)]
    if mix is not None and mix.value:
        return [Reason(f"{trial.id}: more than one OpenMP runtime was loaded", mix.sources)]
    several = {name: paths for name, paths in copies.value.items() if len(paths) > 1} if copies else {}
    return [
        Reason(f"{trial.id}: {len(paths)} copies of {name} were loaded: {', '.join(paths)}", copies.sources)
        for name, paths in several.items()
        if copies is not None
    ]
