"""Ten thousand simulated inquests, each with one true cause: no other cause is ever named.

What a trial of a cause looks like is what the rules predict of it; noise, missing probes, failing controls, too few
trials, and deaths that nobody asked for are added by chance. The seed is fixed: a failure can be run again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from built_trials import case, died, proven, trial, well
from decided_cases import GIB, HELD, OVERFLOW, PLENTY, TWO

from harness.decide import no_way_to_exhaust
from harness.decide.hypotheses import HYPOTHESES
from harness.decide.verdict import decide
from harness.model import Control, Fact, Source, Trial

SETS = 10_000
PARTS = 10
MEMORY = "memory-exhaustion"
ALL = [hypothesis.ID for hypothesis in HYPOTHESES]
Facts = list[tuple[str, Any]]
Look = tuple[dict[str, Any], Facts]
ERROR = {"thread": "MainThread", "is_main": True, "errno": None, "filename": None, "bases": ["Exception"]}


def refusal(call: str, error: str, about: dict[str, Any] | None = None, before: float = 0.01) -> tuple[str, Any]:
    """Return the fact of a system call that was refused."""
    return "refusal", {
        "call": call, "error": error, "pid": 77, "thread": 77, "count": 1, "first_seconds": 1.0, "last_seconds": 1.0,
        "before_death_seconds": before, "about": about or {},
    }  # fmt: skip


def sent(signal: str, by: str) -> tuple[str, Any]:
    """Return the fact of the signal that ended the process, and of its sender."""
    return "signal_delivered", {
        "signal": signal, "target": 77, "sender": 5, "sender_command": "someone", "sender_user": "root", "by": by,
        "code": 0, "at_seconds": 1.0, "before_death_seconds": 0.01, "ends": True,
    }  # fmt: skip


def raised(kind: str, message: str, number: int | None = None) -> tuple[str, Any]:
    """Return the fact of an uncaught exception."""
    storage = ["OSError", "Exception"] if number else ["Exception"]
    return "python_error", {**ERROR, "type": kind, "message": message, "errno": number, "bases": storage}


def full(resource: str, name: str, limit: int = 100) -> tuple[str, Any]:
    """Return the fact of a limit that was seen to be full."""
    return "limit_use", {"resource": resource, "name": name, "limit": limit, "used": limit - 1}


def named(resource: str, text: str, number: int | None = None) -> tuple[str, Any]:
    """Return the fact of last words that name what was wanting."""
    return "named_want", {"resource": resource, "text": text, "said_by": "exception", "errno": number}


def limits(name: str, most: int = 100) -> dict[str, Any]:
    """Return what a refusal was about: a limit that is reached."""
    return {"limits": [{"name": name, "limit": most, "used": most}]}


ROOM: Facts = [
    ("memory_limit_used", {"name": "the machine's memory", "limit_bytes": 20 * GIB, "most_bytes": 5 * GIB}),
    ("commit_limit_holds", False), ("fault_thread", {"tid": 1, "known_to_python": True}),
]  # fmt: skip
SEEN = (no_way_to_exhaust.REFUSED, no_way_to_exhaust.COUNTED)
RAISED: dict[str, Any] = {"signal": None, "code": 1}
KILLED: dict[str, Any] = {"signal": "SIGKILL", "ended_by": "outside"}
GONE, BACK = "gone", "back"  # what one thread does


class Cause:
    """One true cause: how its deaths look, which facts are the witnesses' alone, and what one thread does."""

    def __init__(self, family: str, keys: dict[str, Any], facts: Facts, seen: Facts, threads: str = BACK) -> None:
        """Take the family, the exit, the facts that any user has, and those that the witnesses add."""
        self.family, self.keys, self.facts, self.seen, self.threads = family, keys, facts, seen, threads


OOM = [("oom_kill_in_group", 1), ("headroom_bytes", 9), ("group_is_own", True)]
NO_MEMORY = ("allocation_failure", {"sign": "MemoryError", "text": "MemoryError"})
TERMINATE = ("terminate_exception", {"type": "c10::Error", "what": "unexpected pos 64 vs 0"})
NATIVE_EXIT = ("exit_call", {"call": "exit", "code": 1, "thread": "MainThread"})
CAUSES = (
    Cause("memory-exhaustion", KILLED, OOM, [sent("SIGKILL", "oom-killer")]),
    Cause("memory-exhaustion", RAISED, [raised("MemoryError", ""), NO_MEMORY, ("headroom_bytes", 9)],
          [refusal("mmap", "ENOMEM", limits("RLIMIT_DATA"))]),
    Cause("memory-exhaustion", {"signal": "SIGABRT"}, [NO_MEMORY, ("headroom_bytes", 9)],
          [refusal("brk", "ENOMEM", limits("RLIMIT_AS"))]),
    Cause("threading-fault", {"signal": "SIGSEGV"}, [*HELD.items(), ("threads_max", 4)], [], GONE),
    Cause("native-fault", {"signal": "SIGSEGV"}, [*HELD.items(), ("threads_max", 4)], []),
    Cause("native-fault", {"signal": "SIGABRT"}, [*HELD.items(), ("threads_max", 4)], []),
    Cause("native-fault", {"signal": "SIGSEGV"}, [*HELD.items(), ("threads_max", 1)], [], GONE),  # a variable's choice
    Cause("stack-overflow", {"signal": "SIGSEGV"}, [*HELD.items(), ("stack_overflow", OVERFLOW)], []),
    Cause("illegal-instruction", {"signal": "SIGILL"}, [*HELD.items()], []),
    Cause("external-kill", KILLED, [], [sent("SIGKILL", "stranger")]),
    Cause("external-kill", {"signal": "SIGTERM", "ended_by": "outside"}, [], [sent("SIGTERM", "stranger")]),
    Cause("deliberate-exit", {"signal": None, "code": 3},
          [("exit_call", {"call": "os._exit", "code": 3, "thread": "T"})], []),
    Cause("python-exception", RAISED, [raised("ValueError", "no")], []),
    Cause("io-fault", RAISED, [raised("OSError", "full", 28), named("disk space", "full", 28)],
          [refusal("write", "ENOSPC", {"path": "/data/best.pt", "free_bytes": 0, "free_inodes": 9})]),
    Cause("io-fault", {"signal": "SIGABRT"}, [TERMINATE, *HELD.items(), named("disk space", "unexpected pos 64 vs 0")],
          [refusal("write", "ENOSPC", {"path": "/data/best.pt", "free_bytes": 0, "free_inodes": 9})]),
    Cause("resource-limit", RAISED, [raised("RuntimeError", "can't start new thread"),
          named("threads and processes", "can't start new thread"), full("threads and processes", "pids.max")],
          [refusal("clone3", "EAGAIN", limits("/sys/fs/cgroup/pids/pids.max"))], GONE),
    Cause("resource-limit", {"signal": None, "code": 1},
          [NATIVE_EXIT, named("threads and processes", "Thread creation failed")],
          [refusal("clone", "EAGAIN", limits("RLIMIT_NPROC"))], GONE),
    Cause("resource-limit", RAISED, [raised("OSError", "Too many open files", 24),
          named("open files", "Too many open files", 24), full("open files", "RLIMIT_NOFILE")],
          [refusal("openat", "EMFILE", limits("RLIMIT_NOFILE"))]),
    Cause("resource-limit", {"signal": "SIGXCPU", "ended_by": "outside"}, [("cpu_limit_seconds", 9),
          ("cpu_seconds", 9.1)], [sent("SIGXCPU", "kernel")]),
    Cause("resource-limit", RAISED, [raised("MemoryError", ""), NO_MEMORY, full("memory mappings", "vm.max_map_count")],
          [refusal("mmap", "ENOMEM", limits("vm.max_map_count"))]),
)  # fmt: skip
NOISE: tuple[Callable[[random.Random], Facts], ...] = (
    lambda dice: [refusal("write", "EPIPE", before=dice.uniform(0, 2))],
    lambda dice: [refusal("openat", "EROFS", before=dice.uniform(0, 9))],
    lambda dice: [refusal("mmap", "ENOMEM", before=dice.uniform(20, 900))],
    lambda dice: [refusal("clone3", "EAGAIN", limits("pids.max"), before=dice.uniform(20, 900))],
    lambda dice: [("oom_kill_on_host", dice.choice((0, 1)))],
    lambda dice: [("thread_creations_refused", dice.choice((0, 0, 2)))],
    lambda dice: [("torch_threads", 2)],
    lambda dice: [("openmp_mix", dice.random() < 0.3)],
)


class Inquest:
    """One simulated inquest."""

    def __init__(self, dice: random.Random) -> None:
        """Throw the dice for the cause and for what can be known."""
        self.dice, self.cause = dice, dice.choice(CAUSES)
        self.watched = dice.random() < 0.6
        self.told = dice.random() < 0.85  # else the program's words and samples are missing
        self.room = ROOM if dice.random() < 0.5 else []  # else the peaks are not known
        self.noise = [fact for make in NOISE if dice.random() < 0.25 for fact in make(dice)]
        self.noise = [row for row in self.noise if self.watched or row[0] != "refusal"]

    def death(self, number: int, under: str | None = None, **more: Any) -> Trial:
        """Return a death of the true cause."""
        facts: Facts = [*PLENTY.items(), *self.room, *self.noise, *self._own(), *more.pop("facts", [])]
        last = {name for name, _ in self._own()} - {"refusal", "named_want", "limit_use", "signal_delivered"}
        kept = [(name, value) for name, value in facts[: len(PLENTY)] if name not in last] + facts[len(PLENTY) :]
        loose = self.cause.family if self.dice.random() < 0.97 else "elsewhere"
        made = died(number, under=under, **{"factors": TWO, "peak": GIB, "loose": loose, **self.cause.keys, **more})
        return _with(made, kept)

    def _own(self) -> Facts:
        seen = [*self.cause.seen, ("refusals_watched", True)] if self.watched else []
        is_raised = any(name == "python_error" for name, _ in self.cause.facts)  # then its words cannot be missing
        hidden = ("limit_use", "native_stacks", *(() if is_raised else ("named_want", "allocation_failure")))
        return [row for row in self.cause.facts if self.told or row[0] not in hidden] + seen

    def trials(self) -> list[Trial]:
        """Return the trials of an inquest that was run for so long, or ended early."""
        count = self.dice.choice((1, 2, 3, 5, 5, 5))
        plain = [self.death(number) for number in range(1, count + 1)]
        asked = self.dice.random()
        parts = [self._one_thread(), self._ladder(), self._silent(), self._lifted(), self._torch()]
        return plain + [one for part in parts if self.dice.random() < 0.3 + asked for one in part]

    def _one_thread(self) -> list[Trial]:
        return self._lives(5, "threads=1") if self.cause.threads == GONE else self._dies(3, "threads=1")

    def _torch(self) -> list[Trial]:
        alone = "torch.set_num_threads=1"
        if self.cause.threads == GONE and self.cause.family == "native-fault":
            return self._dies(3, alone)
        return self._lives(5, alone) if self.cause.threads == GONE else []

    def _silent(self) -> list[Trial]:
        facts = [("own_signals_forbidden", True)]
        return [self.death(40 + one, "own-signals=off", facts=facts) for one in range(3)]

    def _lifted(self) -> list[Trial]:
        is_limit = self.cause.family == "resource-limit" and self.dice.random() < 0.5
        return self._lives(5, "limits=lifted") if is_limit else self._dies(3, "limits=lifted")

    def _ladder(self) -> list[Trial]:
        """A rung that is low enough kills by the OOM killer; one with room lets the true cause strike."""
        rungs = []
        for share, kills in ((1.5, False), (1.0, False), (0.8, True), (0.6, True)):
            limit = int(share * GIB)
            facts: Facts = [
                ("confinement", {"kind": "cgroup v1", "limit_bytes": limit, "applied": True}), ("group_is_own", True),
                ("group_peak_bytes", limit if kills else GIB // 4), ("oom_kill_in_group", int(kills)),
            ]  # fmt: skip
            under = f"memory={share:g}x"
            one = died(1, under=under, factors=TWO, **KILLED) if kills else well(1, under=under, factors=TWO)
            rungs.append(_with(one, facts))
        return rungs

    def _lives(self, number: int, under: str) -> list[Trial]:
        return [well(60 + one, factors=TWO, under=under) for one in range(number)]

    def _dies(self, number: int, under: str) -> list[Trial]:
        return [self.death(60 + one, under) for one in range(number)]

    def controls(self) -> tuple[Control, ...]:
        """Return the controls that fired: all, or some."""
        rate = self.dice.choice((1.0, 1.0, 0.8))
        shown = Control("planted", "memory-exhaustion", "memory-exhaustion", self.dice.random() < 0.8, SEEN)
        return (*proven(*(name for name in ALL if self.dice.random() < rate)), shown)


def _with(made: Trial, facts: Facts) -> Trial:
    own = tuple(Fact(name, value, (Source(f"trials/{made.id}/x", 1),)) for name, value in facts)
    return type(made)(**{**vars(made), "facts": (*made.facts, *own)})


@pytest.mark.parametrize("part", range(PARTS))
def test_no_other_cause_is_named(part: int) -> None:
    """Whatever was seen, and whatever was not."""
    dice = random.Random(part)
    named_right: Counter[str] = Counter()
    needless = 0
    for number in range(SETS // PARTS):
        one = Inquest(dice)
        asked = case(*one.trials(), controls=one.controls())
        needless += one.cause.family != MEMORY and bool(no_way_to_exhaust.reasons(asked.failures, asked.controls))
        assert one.cause.family != MEMORY or not no_way_to_exhaust.reasons(asked.failures, asked.controls), (
            part,
            number,
        )
        verdict = decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], "harness run")
        assert verdict.cause in (None, one.cause.family), (part, number, one.cause.family, verdict, asked.trials[0])
        named_right[one.cause.family] += verdict.cause is not None
    assert needless > SETS // PARTS // 20
    assert set(named_right.elements()) >= {"memory-exhaustion", "threading-fault", "io-fault", "resource-limit"}


def test_healthy_programs_are_never_accused() -> None:
    """Refusals, words and full limits in trials that completed are no failure."""
    dice = random.Random(1)
    for _ in range(200):
        noise = [fact for make in NOISE for fact in make(dice)]
        asked = case(*(_with(trial(number, "completed", code=0), noise) for number in range(3)))
        verdict = decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], "harness run")
        assert (verdict.status, verdict.cause) == ("no-failure", None)
