"""What a program says it was refused, and what was full while it was held at its end: only together they decide."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import case, proven
from decided_cases import ALL, deaths, judged, lives

from harness.decide import observed, offers, study
from harness.decide.hypotheses import HYPOTHESES, Case
from harness.decide.verdict import decide

DISK = {
    "named_want": {"resource": "disk space", "text": "unexpected pos 64 vs 0", "said_by": "stderr", "errno": None},
    "terminate_exception": {"type": "c10::Error", "what": "unexpected pos 64 vs 0"},
}  # fmt: skip
ROOM = {"full_file": {"path": "/scratch/epoch-3.pt", "free_bytes": 0, "free_inodes": 7}}
FILES = {
    "named_want": {"resource": "open files", "text": "Too many open files", "said_by": "stderr", "errno": None},
}  # fmt: skip
USED = {"limit_use": {"resource": "open files", "name": "RLIMIT_NOFILE", "limit": 256, "used": 256, "last_used": 256}}
HALF = {"limit_use": {**USED["limit_use"], "used": 128, "last_used": 128}}


def abort(number: int, facts: dict[str, Any]) -> Case:
    """Return a case of so many equal deaths by SIGABRT."""
    return case(*deaths(number, signal="SIGABRT", facts=facts), controls=ALL)


def named(asked: Case) -> str | None:
    """Return the cause that is named."""
    return decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], "harness run").cause


@pytest.mark.parametrize(
    ("facts", "cause"), [({**DISK, **ROOM}, "io-fault"), ({**FILES, **USED}, "resource-limit")]
)  # fmt: skip
def test_three_that_agree_are_named(facts: dict[str, Any], cause: str) -> None:
    """Memory and threading are ruled out by it, with no rung and no trial at one thread."""
    asked = abort(3, facts)
    assert named(asked) == cause
    for other in ("memory-exhaustion", "threading-fault"):
        assert judged(other, asked).status == "ruled-out"


@pytest.mark.parametrize(
    ("number", "facts"),
    [(2, {**DISK, **ROOM}), (3, DISK), (3, ROOM), (3, {**FILES, **HALF}), (3, FILES), (3, USED)],
)
def test_less_names_nothing(number: int, facts: dict[str, Any]) -> None:
    """Twice may be chance; words alone may be wrong; a full disk alone may be nobody's want."""
    assert named(abort(number, facts)) is None


def test_not_where_one_of_them_differs() -> None:
    """A death that does not say so, or whose limit was not full, is another."""
    mixed = [*deaths(2, signal="SIGABRT", facts={**DISK, **ROOM}), *deaths(3, signal="SIGABRT", facts=DISK)[2:]]
    assert observed.agreed(mixed) is None
    assert named(case(*mixed, controls=ALL)) is None


def test_not_where_something_else_was_seen() -> None:
    """The disk was full, and it says so; yet another process sent the signal: that is what ended it."""
    sent = {"signal": "SIGKILL", "sender": 5, "sender_command": "earlyoom", "sender_user": "root", "target": 77}
    facts = {**DISK, **ROOM, "signal_delivered": {**sent, "by": "stranger", "ends": True}}
    killed = deaths(3, signal="SIGKILL", ended_by="outside", facts=facts)
    assert observed.agreed(killed) is None
    assert named(case(*killed, controls=ALL)) in (None, "external-kill")


def test_more_deaths_are_asked_for_until_they_agree() -> None:
    """One that agrees makes it worth to see two more; three are enough, and no rung is climbed."""
    first, third = (deaths(number, signal="SIGABRT", facts={**DISK, **ROOM}) for number in (1, 3))
    begun, done = study.of(tuple(first)), study.of(tuple(third))
    assert begun is not None and offers.may_be_observed(begun) and not offers.is_observed(begun)
    assert done is not None and offers.is_observed(done)


def test_one_thread_has_no_say() -> None:
    """It may take the need away; the limit is what was full."""
    asked = case(
        *deaths(5, signal="SIGABRT", facts={**FILES, **USED}),
        *lives(5, "threads=1"),
        controls=proven("threading-fault"),
    )
    assert judged("threading-fault", asked).status == "ruled-out"
