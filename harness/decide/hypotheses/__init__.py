"""In: a `Case`, the trials' facts. Out: a finding each. Pure. May import `decide`, `facts`, `model`.

One file a family of causes: what it predicts, its rule. To add one: one file here, one line below. `case.py` is what a
rule gets to see, `calls.py` the recorded calls that explain an end.

Each module has `ID`; `predicts(trial)`: whether a death of this kind could have this cause; and `judge(case)`: a
pure function from facts to a Finding with reasons in plain words.
"""

from __future__ import annotations

from typing import Protocol

from harness.decide.hypotheses import (
    deliberate_exit,
    external_kill,
    hang,
    illegal_instruction,
    io_fault,
    memory_exhaustion,
    native_fault,
    python_exception,
    resource_limit,
    stack_overflow,
    threading_fault,
)
from harness.decide.hypotheses.case import Case
from harness.model import Finding, Trial


class Hypothesis(Protocol):
    """What every module of this room offers."""

    ID: str

    def predicts(self, trial: Trial) -> bool:
        """Whether a failure of this kind could have this cause."""

    def judge(self, case: Case) -> Finding:
        """Return the finding that the evidence allows."""


HYPOTHESES: tuple[Hypothesis, ...] = (
    memory_exhaustion,
    threading_fault,
    native_fault,
    stack_overflow,
    illegal_instruction,
    external_kill,
    deliberate_exit,
    python_exception,
    hang,
    io_fault,
    resource_limit,
)

__all__ = ["HYPOTHESES", "Case", "Hypothesis"]
