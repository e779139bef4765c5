"""Races between Python's own threads: what their order of running does to a failure that no pool's number changes.

A very long switch interval lets each thread run until it waits; affinity to one core lets no two run at once. Whether
either removes the failure is asked as of any other intervention (effects.py).

That neither removes it rules little out. Native code that has released the interpreter's lock does not care for its
interval, and on one core it is still interrupted after each time slice. So order plays no part only where the same
deaths came though each thread ran until it waited, as the scheduler can be told by the administrator. That all came at
one place says nothing: where two threads first meet is one place, too.
"""

from __future__ import annotations

from harness.decide.effects import Does
from harness.decide.hypotheses.case import Case
from harness.decide.hypotheses.speaking import by_effect
from harness.decide.interventions import LONG_SWITCH, ONE_CORE
from harness.decide.study import Study
from harness.model import Reason, Trial

ASKED = (LONG_SWITCH, ONE_CORE)
SIGNALS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT")


def removes(case: Case) -> tuple[Reason, ...]:
    """Return the sentences of those that remove the failure; none where it does not depend on the threads' order."""
    effects = (case.effect(one.id) for one in ASKED)
    return tuple(reason for does, reasons in effects if does is Does.REMOVES for reason in reasons)


def told(case: Case) -> tuple[Reason, ...]:
    """Return what each of them did, with its numbers, where that is decided."""
    return tuple(reason for one in ASKED for reason in by_effect(*case.effect(one.id)))


def is_undecided(case: Case) -> bool:
    """Whether a fault came among several of Python's threads, and it is not known that their order plays no part."""
    study = case.study
    if study is None or study.reference.exit.signal not in SIGNALS or not are_several(study.reference):
        return False
    if study.does(LONG_SWITCH.id) is Does.UNDECIDED:
        return True
    return needs_turns(study) and not (study.does(ONE_CORE.id) is Does.REMOVES or _ran_in_turn(study))


def needs_turns(study: Study) -> bool:
    """Whether the interpreter's order plays no part, and that of native code still may."""
    return study.does(LONG_SWITCH.id) is Does.LEAVES


def are_several(trial: Trial) -> bool:
    """Whether more than one of Python's threads was at work; where none were listed, whether there ever were more."""
    at_work = trial.value("python_threads_at_work")
    return ((trial.value("python_threads_most") if at_work is None else at_work) or 1) > 1


def _ran_in_turn(study: Study) -> bool:
    """Whether the same deaths came though no thread was ever interrupted by another."""
    if study.does(ONE_CORE.id) is not Does.LEAVES:
        return False
    return all(trial.value("runs_in_turn") for trial in study.under[ONE_CORE.id] if study.is_same(trial))
