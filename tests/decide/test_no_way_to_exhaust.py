"""When the memory ladder is needless, and above all when it is not: by real programs, and by built facts."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from built_trials import case, died, proven, trial
from decided_cases import ALL, GIB, HELD, MEMORY, PLENTY, judged
from observing import observe, victim

from harness.decide import next_trial, no_way_to_exhaust
from harness.decide.interventions import RUNGS
from harness.decide.no_way_to_exhaust import COUNTED, REFUSED, reasons, ways
from harness.model import Control, Fact, Gap, Source, Trial
from probes.outside.system.refusals import RefusalsProbe

watched = pytest.mark.skipif(bool(RefusalsProbe.missing()), reason=f"no tracing here: {RefusalsProbe.missing()}")
SHOWN = (Control("planted", MEMORY, MEMORY, True, (REFUSED, COUNTED)),)
LIMIT = {"name": "the machine's memory", "limit_bytes": 20 * GIB, "most_bytes": 5 * GIB}
KNOWN: dict[str, Any] = {
    **PLENTY, **HELD, "refusals_watched": True, "commit_limit_holds": False, "memory_limit_used": LIMIT,
    "fault_thread": {"tid": 1},
}  # fmt: skip
REFUSAL = {"call": "mmap", "error": "ENOMEM", "pid": 77, "count": 1, "before_death_seconds": 900.0, "about": {}}
SENT = {
    "signal": "SIGSEGV", "target": 78, "by": "stranger", "ends": True, "sender": 5, "sender_command": "someone",
    "sender_user": "root",
}  # fmt: skip


def fault(number: int = 1, gaps: tuple[Gap, ...] = (), **facts: Any) -> Trial:
    """Return a fault of which all is known; a fact that is None is left out."""
    known = {name: value for name, value in {**KNOWN, **facts}.items() if value is not None}
    made = died(number, signal="SIGSEGV", peak=GIB, facts=known)
    return type(made)(**{**vars(made), "gaps": gaps})


NEEDLESS = ("fault", "aborts", "exits", "raises", "reads_cut_file")
WANTED = {
    "uses_what_was_refused_long_ago": "answered with ENOMEM",
    "child_uses_what_was_refused": "answered with ENOMEM",
    "moves_the_break_too_far": "sbrk and mmap",
    "fills_its_own_arena": "speaks of memory",
    "runs_out_of_its_heap": "speaks of memory",
    "logs_to_stdout": "speaks of memory",
    "asks_python_for_too_much": "speaks of memory",
    "hides_it_in_the_chain": "speaks of memory",
    "fills_its_addresses": "RLIMIT_AS: little was left",
    "is_killed": "SIGKILL may have been sent",
    "bus_error": "a bus error",
    "shell_tells_of_a_kill": "a shell whose child was killed",
    "sleeps_for_ever": "may be a wait",
}


@watched
class TestRealPrograms:
    """Each ends for good; on a machine that has memory left and where nobody is killed meanwhile."""

    @pytest.mark.parametrize("how", NEEDLESS)
    def test_ladder_is_needless(self, tmp_path: Path, how: str) -> None:
        """Nothing was refused, killed, said, or scarce."""
        seen = observe(tmp_path, victim("ways_of_memory"), how).trial
        found = [way for way in ways(seen) if "on the machine" not in way]  # another test's OOM kill is counted, too
        assert seen.outcome == "died" and found == [], seen.exit

    @pytest.mark.parametrize("how", WANTED)
    def test_ladder_is_wanted(self, tmp_path: Path, how: str) -> None:
        """Each way by itself is enough."""
        limits = {"no_progress_seconds": 1.5} if how == "sleeps_for_ever" else {}
        seen = observe(tmp_path, victim("ways_of_memory"), how, limits=limits).trial
        assert seen.outcome.is_failure and any(WANTED[how] in way for way in ways(seen)), (ways(seen), seen.exit)
        assert reasons([seen], SHOWN) == ()


CHANGES: dict[str, dict[str, Any]] = {
    "not watched": {"refusals_watched": None},
    "rows lost": {"refusals_watched": False},
    "probe failed": {"gaps": (Gap("refusals", "the kernel refused a trace of our own"),)},
    "refused long ago": {"refusal": REFUSAL},
    "locked": {"refusal": {**REFUSAL, "call": "mlock", "error": "EAGAIN"}},
    "shared memory": {"refusal": {**REFUSAL, "call": "write", "error": "ENOSPC", "about": {"path": "/dev/shm/a"}}},
    "space of what": {"refusal": {**REFUSAL, "call": "write", "error": "ENOSPC"}},
    "flood": {"refusal": {**REFUSAL, "error": "EPIPE", "count": no_way_to_exhaust.MANY}},
    "killed on the host": {"oom_kill_on_host": 1},
    "killed here and elsewhere": {"oom_kill_on_host": 2, "oom_kills_elsewhere": 1},
    "not counted": {"oom_kill_on_host": None},
    "killed in its group": {"oom_kill_in_group": 1},
    "kernel's line": {"kernel_oom_line": {"names": "tree", "text": "Out of memory: Killed process 78"}},
    "killed by OOM": {"signal_delivered": {**SENT, "signal": "SIGKILL", "target": 78, "by": "oom-killer"}},
    "sent": {"signal_delivered": SENT},
    "named": {"named_want": {"resource": "memory", "text": "Cannot allocate memory", "errno": 12}},
    "allocation": {"allocation_failure": {"sign": "MemoryError", "text": "MemoryError"}},
    "spoken": {"speaks_of_memory": {"text": "memory pool exhausted"}},
    "not recorded": {"fault_thread": None},
    "pointer of sbrk": {"fault_address": "0xffffffffffffffff"},
    "commit holds": {"commit_limit_holds": True},
    "commit unknown": {"commit_limit_holds": None},
    "waited": {"under_oom": True},
    "headroom ran out": {"headroom_snapshot": {"left": 1}},
    "swapped": {"swap_peak_bytes": 4096},
    "no limit known": {"memory_limit_used": None},
    "peak unknown": {"memory_limit_used": {**LIMIT, "most_bytes": None}},
    "nearly used": {"memory_limit_used": {**LIMIT, "most_bytes": 14 * GIB}},
    "locked memory": {"limit_use": {"resource": "locked memory", "name": "RLIMIT_MEMLOCK", "limit": 9, "used": 8}},
}
ENDINGS: dict[str, dict[str, Any]] = {
    "SIGKILL": {"signal": "SIGKILL", "ended_by": "outside"},
    "SIGKILL of its own": {"signal": "SIGKILL"},
    "SIGTERM": {"signal": "SIGTERM", "ended_by": "outside"},
    "SIGBUS": {"signal": "SIGBUS"},
    "Windows": {"ntstatus": "0xC0000017"},
    "137": {"code": 137},
}


def test_nothing_is_left_of_what_is_known() -> None:
    """The case that all others are changes of."""
    assert ways(fault()) == () and len(reasons([fault(1), fault(2)], SHOWN)) == 2
    assert all(reason.evidence for reason in reasons([fault()], SHOWN))
    assert ways(fault(oom_kill_on_host=2, oom_kills_elsewhere=2)) == ()


@pytest.mark.parametrize("what", CHANGES)
def test_each_way_keeps_the_ladder(what: str) -> None:
    """In one failure of several, whichever it is; then memory is not ruled out, and the ladder is climbed."""
    changed = fault(2, **CHANGES[what])
    assert ways(changed)
    for failures in ([fault(1), changed], [changed, fault(1)]):
        assert reasons(failures, SHOWN) == ()
        asked = case(*failures, controls=(*ALL, *SHOWN))
        assert judged(MEMORY, asked).status != "ruled-out"
        assert asked.study is not None and set(RUNGS) <= set(next_trial.wanted(asked.study, "cgroup v1", SHOWN))


@pytest.mark.parametrize("how", ENDINGS)
def test_endings_that_exhaustion_has(how: str) -> None:
    """A kill that nobody is known to have sent, a bus error, a shell's word."""
    assert ways(died(1, facts=KNOWN, peak=GIB, **ENDINGS[how]))


@pytest.mark.parametrize(
    ("facts", "is_needless"),
    [
        ({"hang_kind": "deadlock", "memory_waits_seconds": 0.0, "duration_seconds": 4.0}, True),
        ({"hang_kind": "spinning", "memory_waits_seconds": 0.01, "duration_seconds": 4.0}, True),
        ({"hang_kind": "spinning", "memory_waits_seconds": 0.5, "duration_seconds": 4.0}, False),
        ({"hang_kind": "deadlock", "duration_seconds": 4.0}, False),
        ({"hang_kind": "blocked I/O", "memory_waits_seconds": 0.0, "duration_seconds": 4.0}, False),
        ({"memory_waits_seconds": 0.0, "duration_seconds": 4.0}, False),
    ],
)
def test_standstills(facts: dict[str, Any], is_needless: bool) -> None:
    """A wait for a lock, or a loop, is no wait for memory, where nobody on the machine waited for any."""
    still = trial(1, "hung", signal="SIGKILL", ended_by="harness", facts={**KNOWN, **facts})
    assert (ways(still) == ()) is is_needless


class TestNeedless:
    """What follows from it."""

    def test_memory_is_ruled_out_and_no_rung_is_asked_for(self) -> None:
        """With the records as reasons; everything else is asked for as before."""
        asked = case(fault(1), fault(2), controls=(*ALL, *SHOWN))
        assert asked.study is not None
        finding = judged(MEMORY, asked)
        assert finding.status == "ruled-out" and "had no way to act" in finding.reasons[0].text
        before = next_trial.wanted(asked.study, "cgroup v1", ())
        assert next_trial.wanted(asked.study, "cgroup v1", SHOWN) == [it for it in before if it not in RUNGS]

    @pytest.mark.parametrize(
        "controls",
        [
            (), ALL, proven(MEMORY),
            (Control("a", MEMORY, MEMORY, False, (REFUSED, COUNTED)),),
            (Control("a", MEMORY, MEMORY, True, (REFUSED,)),),
            (Control("a", MEMORY, MEMORY, True, (COUNTED,)),),
        ],
    )  # fmt: skip
    def test_a_probe_that_was_not_seen_to_fire_shows_nothing(self, controls: tuple[Control, ...]) -> None:
        """Both the refusal and the kill must have been seen here; then, and only then, is the ladder left out."""
        asked = case(fault(1), fault(2), controls=controls)
        assert asked.study is not None
        assert judged(MEMORY, asked).status == "open"
        assert set(RUNGS) <= set(next_trial.wanted(asked.study, "cgroup v1", controls))

    def test_another_cell_that_tells_of_memory_keeps_it_open(self) -> None:
        """It is judged on one cell; but a refusal in any failure of any cell speaks against it."""
        elsewhere = died(1, signal="SIGSEGV", factors={"threads": 9}, facts={**KNOWN, "refusal": REFUSAL}, peak=2 * GIB)
        asked = case(fault(1), fault(2), elsewhere, controls=(*ALL, *SHOWN))
        assert judged(MEMORY, asked).status == "open"


def test_no_sign_of_memory_is_ever_overlooked() -> None:
    """Whatever else is known or not, in whatever order: one way more never makes the ladder needless."""
    dice = random.Random(5)
    for _ in range(2000):
        chosen = dice.sample(sorted(CHANGES), dice.randint(0, 4))
        merged: dict[str, Any] = {}
        for name in chosen:
            merged |= CHANGES[name]
        failures = [fault(1), fault(2, **merged), fault(3)]
        dice.shuffle(failures)
        assert (reasons(failures, SHOWN) == ()) is bool(chosen), chosen


def test_each_limit_counts() -> None:
    """The fullest of several, wherever it stands."""
    full = Fact("memory_limit_used", {**LIMIT, "name": "RLIMIT_AS", "most_bytes": 19 * GIB}, (Source("x", 1),))
    made = fault()
    for facts in ((full, *made.facts), (*made.facts, full)):
        assert ways(type(made)(**{**vars(made), "facts": facts})) == (
            "RLIMIT_AS: little was left, or it is not known how much",
        )
