"""What completed trials were refused at their end is told with "no failure", and is none."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import case, well
from decided_cases import ALL

from harness.decide.hypotheses import HYPOTHESES
from harness.decide.verdict import decide
from harness.model import Verdict

FULL = {"path": "/scratch/epoch-3.pt", "free_bytes": 0, "free_inodes": 7}
REFUSED: dict[str, Any] = {
    "call": "write", "error": "ENOSPC", "pid": 77, "thread": 77, "count": 2, "first_seconds": 9.0, "last_seconds": 9.8,
    "before_death_seconds": 0.2, "about": FULL,
}  # fmt: skip


def verdict(*refused: dict[str, Any] | None) -> Verdict:
    """Return the verdict on trials that completed, each with its refusal."""
    asked = case(*(well(n, facts={"refusal": one} if one else {}) for n, one in enumerate(refused, 1)), controls=ALL)
    return decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], "harness run")


def test_it_is_told_and_no_failure() -> None:
    """By the system's own answer, with the file and its room."""
    found = verdict(None, REFUSED)
    assert (found.status, found.cause) == ("no-failure", None)
    assert "may have swallowed" in found.statement and "/scratch/epoch-3.pt" in found.statement
    assert "before the end" in found.statement and "ENOSPC" in found.statement


@pytest.mark.parametrize(
    "change",
    [
        {"before_death_seconds": 30.0}, {"about": {**FULL, "free_bytes": 1 << 40}}, {"error": "EROFS"},
        {"call": "mmap", "error": "ENOMEM", "about": {}}, {"error": "EPIPE"},
    ],
)  # fmt: skip
def test_what_every_program_meets_is_not(change: dict[str, Any]) -> None:
    """Long ago, with room left, or an error that says nothing of work."""
    assert "may have swallowed" not in verdict({**REFUSED, **change}).statement
