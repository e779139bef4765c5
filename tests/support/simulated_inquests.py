"""Whole inquests of targets with one planted truth each, without a process: what each trial would be, and how long.

The truths are those of the planted controls (harness/controls/catalogue.py): how often each fails, what removes it, how
long its trials take (measured where they are short, a training's where they stand for one), and what is seen of them.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

from built_trials import case, died, trial, well
from decided_cases import ALL, GIB, HELD, OVERFLOW, PLENTY

from harness.decide import no_way_to_exhaust
from harness.decide.hypotheses import HYPOTHESES
from harness.decide.offers import Step
from harness.decide.verdict import decide
from harness.model import Cell, Control, Trial

GROUP = "cgroup v1"
TWO = {"threads": 2, "batch_size": 4}
AS_IS: dict[str, Any] = {}
MOST_TRIALS = 200
Order = Callable[[tuple[Trial, ...], str | None], Step | None]

RAISED: dict[str, Any] = {"signal": None, "code": 1}
KILLED: dict[str, Any] = {"signal": "SIGKILL", "ended_by": "outside"}
HUNG: dict[str, Any] = {"outcome": "hung", "signal": "SIGKILL", "ended_by": "harness"}
SEGV: dict[str, Any] = {"signal": "SIGSEGV"}
ERROR = {
    "thread": "MainThread", "is_main": True, "errno": None, "filename": None, "bases": ["Exception"],
    "type": "ValueError", "message": "no",
}  # fmt: skip
STANDS = {"hang_looks": 3, "hang_kind": "deadlock", "idle_seconds": 10.0}
OOM = {"oom_kill_in_group": 1, "headroom_bytes": 9, "group_is_own": True}
ALONE = {"threads_max": 1}


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """One target. `removes`: the interventions under which it lives; `families`: what may be named.

    `rate`: how often it fails. `fails`, `lives`: seconds of a trial. `weight`: how many planted controls it stands for.
    `also`: how often it dies in another way instead.
    """

    id: str
    families: tuple[str, ...]
    exit: dict[str, Any]
    facts: dict[str, Any]
    fails: float
    lives: float
    rate: float = 1.0
    removes: tuple[str, ...] = ()
    factors: dict[str, Any] = dataclasses.field(default_factory=lambda: TWO)
    weight: int = 1
    also: float = 0.0


NATIVE, THREADS, MEMORY, STACK = ("native-fault",), ("threading-fault",), ("memory-exhaustion",), ("stack-overflow",)
HANG, RAISES = ("hang",), ("python-exception",)
FULL = {"resource": "open files", "name": "RLIMIT_NOFILE", "limit": 100, "used": 99}
POOL = ("threads=1", "torch.set_num_threads=1", "OMP_NUM_THREADS=1")
WORKER = {**HELD, "fault_thread": {"tid": 8, "name": "python", "known_to_python": False}, "threads_max": 4}
SENT = {
    "signal_delivered": {
        "signal": "SIGKILL", "target": 77, "sender": 5, "sender_command": "someone", "sender_user": "root",
        "by": "stranger", "code": 0, "at_seconds": 1.0, "before_death_seconds": 0.01, "ends": True,
    }
}  # fmt: skip
TORCH = {"torch_threads": 2, "openmp_runtimes": ["libgomp.so.1"]}

LIMIT = {
    "python_error": {**ERROR, "type": "OSError", "errno": 24}, "limit_use": FULL,
    "named_want": {"resource": "open files", "text": "Too many open files", "said_by": "exception", "errno": 24},
}  # fmt: skip
REFUSED = {
    "refusal": {
        "call": "openat", "error": "EMFILE", "pid": 77, "thread": 77, "count": 1, "first_seconds": 1.0,
        "last_seconds": 1.0, "before_death_seconds": 0.01,
        "about": {"limits": [{"name": "RLIMIT_NOFILE", "limit": 100, "used": 100}]},
    },
    "refusals_watched": True,
}  # fmt: skip

WATCHED = {  # where each system call of the tree is followed, and the kernel's counts are read: all else as before
    "refusals_watched": True, "oom_kills_elsewhere": 0, "commit_limit_holds": False, "memory_waits_seconds": 0.0,
    "memory_limit_used": {"name": "the machine's memory", "limit_bytes": 20 * GIB, "most_bytes": 5 * GIB},
}  # fmt: skip
FAULT = {"fault_thread": {"tid": 7, "name": "python", "known_to_python": True}}
SHOWN = Control(
    "planted refusal", "memory-exhaustion", "memory-exhaustion", True,
    (no_way_to_exhaust.REFUSED, no_way_to_exhaust.COUNTED),
)  # fmt: skip

TRUTHS = (
    Truth("fault in native code", NATIVE, SEGV, {**HELD, "threads_max": 4}, 4, 12, weight=3),
    Truth("fault in a training", NATIVE, SEGV, {**HELD, "threads_max": 4, **TORCH}, 25, 90),
    Truth("fault, one thread", NATIVE, SEGV, {**HELD, **ALONE}, 2, 5, factors=AS_IS, weight=2),
    Truth("abort", NATIVE, {"signal": "SIGABRT"}, {**HELD, "threads_max": 4}, 3, 9, weight=2),
    Truth("fault, now and then", NATIVE, SEGV, {**HELD, "threads_max": 4}, 4, 12, rate=0.5),
    Truth("fault, seldom", NATIVE, SEGV, {**HELD, "threads_max": 4}, 4, 12, rate=0.2),
    Truth("full stack", STACK, SEGV, {**HELD, "stack_overflow": OVERFLOW}, 3, 9, removes=("stack=256M",), weight=4),
    Truth("illegal instruction", ("illegal-instruction",), {"signal": "SIGILL"}, HELD, 3, 9, removes=("cpu=baseline",)),
    Truth("race", THREADS, SEGV, WORKER, 5, 10, removes=POOL),
    Truth("race, now and then", THREADS, SEGV, WORKER, 5, 10, rate=0.5, removes=POOL),
    Truth("race, seldom", THREADS, SEGV, WORKER, 5, 10, rate=0.2, removes=POOL),
    Truth("race in a training", THREADS, SEGV, {**WORKER, **TORCH}, 25, 90, removes=POOL),
    Truth("deadlock", HANG, HUNG, {**STANDS, **TORCH, "threads_max": 4}, 62, 12),
    Truth("deadlock, one thread", HANG, HUNG, {**STANDS, **ALONE}, 62, 12, factors=AS_IS, weight=3),
    Truth("deadlock, now and then", HANG, HUNG, {**STANDS, "threads_max": 4}, 62, 12, rate=0.5),
    Truth("deadlock of a pool", (*THREADS, *HANG), HUNG, {**STANDS, **TORCH, "threads_max": 4}, 62, 12, removes=POOL),
    Truth("exception", RAISES, RAISED, {"python_error": ERROR}, 2, 9, weight=3),
    Truth("exception in a training", RAISES, RAISED, {"python_error": ERROR, **TORCH}, 40, 90),
    Truth("exit", ("deliberate-exit",), {"signal": None, "code": 3},
          {"exit_call": {"call": "os._exit", "code": 3, "thread": "T"}}, 2, 9, weight=4),
    Truth("killed, sender unseen", ("external-kill",), KILLED, {}, 3, 9, weight=3),
    Truth("killed, sender seen", ("external-kill",), KILLED, {**SENT, "refusals_watched": True}, 3, 9, weight=4),
    Truth("out of memory", MEMORY, KILLED, OOM, 6, 15, weight=7),
    Truth("refused, unseen", ("resource-limit",), RAISED, LIMIT, 3, 9, weight=7),
    Truth("refused, seen", ("resource-limit",), RAISED, {**LIMIT, **REFUSED}, 3, 9, weight=7),
    Truth("two failures", (*NATIVE, *RAISES), SEGV, {**HELD, "threads_max": 4}, 4, 12, also=0.3),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Moment:
    """After one trial: the seconds so far, how many trials, and the cause that would be named now."""

    seconds: float
    trials: int
    cause: str | None


def watched(truth: Truth) -> Truth:
    """Return a target as it is recorded where its system calls are followed; one that cannot be seen stays as it is."""
    if "unseen" in truth.id or truth.families == MEMORY:
        return truth
    fault = FAULT if truth.exit.get("signal") in ("SIGSEGV", "SIGABRT", "SIGILL") else {}
    return dataclasses.replace(truth, facts={**WATCHED, **fault, **truth.facts})


def run(truth: Truth, order: Order, dice: random.Random, each: bool = True) -> list[Moment]:
    """Return the moments of one inquest, from its first failure to its end; the last one only unless `each`.

    The n-th trial of one kind comes out the same, whatever the order: the dice are thrown for each kind apart.
    """
    seed, trials, seconds = dice.random(), [], 0.0
    step: Step | None = Step(Cell(tuple(truth.factors.items())), "baseline")
    moments = []
    while step is not None:
        trials.append(_ran(truth, step, trials, seed))
        seconds += trials[-1].value("duration_seconds")
        assert len(trials) < MOST_TRIALS, "the agenda does not come to an end"
        step = order(tuple(trials), GROUP) if any(one.outcome.is_failure for one in trials) else step
        if each or step is None:
            moments.append(Moment(seconds, len(trials), named(trials)))
    return moments


def reached(moments: list[Moment]) -> Moment:
    """Return the moment since which the verdict has been the last one."""
    other = [number for number, one in enumerate(moments) if one.cause != moments[-1].cause]
    return moments[other[-1] + 1 if other else 0] if moments[-1].cause else moments[-1]


def at(moments: list[Moment], budget: float) -> str | None:
    """Return the cause named where no trial begins after the budget."""
    begun = sum(one.seconds < budget for one in moments)
    return moments[min(begun, len(moments) - 1)].cause


def named(trials: list[Trial]) -> str | None:
    """Return the cause that would be named after these trials, all probes being proven."""
    asked = case(*trials, controls=(*ALL, SHOWN))
    return decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], "harness run").cause


def _ran(truth: Truth, step: Step, before: list[Trial], seed: float) -> Trial:
    name = step.intervention.id if step.intervention else ""
    number = 1 + sum(one.interventions == ((name,) if name else ()) for one in before)
    dice = random.Random(f"{seed} {name} {number}")
    keys = {"under": name or None, "factors": truth.factors, "peak": GIB}
    share = step.intervention.memory_share if step.intervention else None
    if share is not None and share < 1.0:
        return died(number, **keys, **KILLED, facts={**_confined(share, True), "duration_seconds": truth.fails / 2})
    facts = {**PLENTY, **truth.facts, **_under(name), **(_confined(share, False) if share else {})}
    if name in truth.removes or dice.random() >= truth.rate:
        lived = {key: facts[key] for key in facts.keys() & {"torch_threads", "confinement", "group_peak_bytes"}}
        return well(number, **keys, facts={**PLENTY, **lived, "duration_seconds": truth.lives})
    if dice.random() < truth.also:
        other = {**PLENTY, **_under(name), "python_error": ERROR, "duration_seconds": truth.fails}
        return died(number, **keys, **RAISED, facts=other)
    how = {"outcome": "died", **truth.exit}
    return trial(number, **keys, **how, facts={**facts, "duration_seconds": truth.fails})


def _under(name: str) -> dict[str, Any]:
    """Return what is recorded of an intervention that took hold."""
    told = {"threads=1": {"torch_threads": 1}, "torch.set_num_threads=1": {"torch_threads": 1}}
    return {**told, "own-signals=off": {"own_signals_forbidden": True}}.get(name, {})


def _confined(share: float, kills: bool) -> dict[str, Any]:
    limit = int(share * GIB)
    return {
        "confinement": {"kind": GROUP, "limit_bytes": limit, "applied": True}, "group_is_own": True,
        "group_peak_bytes": limit if kills else GIB // 4, "oom_kill_in_group": int(kills),
    }  # fmt: skip
