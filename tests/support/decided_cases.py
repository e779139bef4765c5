"""Deaths, survivors and rungs at two threads, with and without interventions, for the rules that these decide."""

from __future__ import annotations

from typing import Any

from built_trials import case, died, proven, trial, well

from harness.decide.hypotheses import HYPOTHESES, Case
from harness.model import Control, Finding, Trial

TWO = {"threads": 2, "batch_size": 4}
ONE = {**TWO, "threads": 1}
THREADS, NATIVE, STACK, MEMORY = "threading-fault", "native-fault", "stack-overflow", "memory-exhaustion"
ALL = proven(*(hypothesis.ID for hypothesis in HYPOTHESES))
GIB = 1 << 30
PLENTY = {
    "headroom_bytes": 15 * GIB, "memory_limit_bytes": 20 * GIB, "memory_limit_name": "the machine's memory",
    "rss_at_end_bytes": GIB, "oom_kill_in_group": 0, "oom_kill_on_host": 0, "group_is_own": False,
}  # fmt: skip
HELD = {"native_stacks": ["native/main/native_stacks.json"], "fault_address": "0x1230", "crash_stack": ["a", "b", "c"]}
OVERFLOW = {"address": "0x1", "stack": "[stack]", "below_stack_bytes": 8, "from_stack_pointer_bytes": 16}
COPIES = {"libgomp": ["/a/libgomp.so.1", "/b/libgomp.so.1"]}


def deaths(number: int, under: str | None = None, facts: dict[str, Any] | None = None, **keys: Any) -> list[Trial]:
    """Return so many deaths at two threads, or under an intervention."""
    known = {**PLENTY, **HELD, **(facts or {})}
    same = {"signal": "SIGSEGV", "factors": TWO, "peak": GIB, **keys}
    return [died(one, facts=known, under=under, **same) for one in range(1, number + 1)]


def lives(number: int, under: str | None = None) -> list[Trial]:
    """Return so many trials that lived."""
    return [well(50 + one, factors=TWO, under=under) for one in range(number)]


def rung(share: float, kills: bool) -> Trial:
    """Return a trial of the memory ladder, in a group that was full where it was killed."""
    limit = int(share * GIB)
    facts = {
        "confinement": {"kind": "cgroup v1", "limit_bytes": limit, "applied": True}, "group_is_own": True,
        "group_peak_bytes": limit if kills else GIB // 4, "oom_kill_in_group": int(kills),
    }  # fmt: skip
    how = {"signal": "SIGKILL", "ended_by": "outside"} if kills else {"code": 0}
    return trial(1, "died" if kills else "completed", under=f"memory={share:g}x", factors=TWO, facts=facts, **how)


LADDER = [rung(1.5, False), rung(1.0, False), rung(0.8, True), rung(0.6, True)]


def judged(identity: str, asked: Case) -> Finding:
    """Judge, and check what holds for every finding: what is not open cites file:line, what is undecided has a gap."""
    finding = next(hypothesis for hypothesis in HYPOTHESES if identity == hypothesis.ID).judge(asked)
    assert identity == finding.id
    assert finding.status == "open" or (finding.reasons and all(reason.evidence for reason in finding.reasons)), finding
    assert finding.status.is_decided or finding.gaps, finding
    return finding


def status(identity: str, *trials: Trial, controls: tuple[Control, ...] = ALL) -> str:
    """Return the status of a rule."""
    return judged(identity, case(*trials, controls=controls)).status
