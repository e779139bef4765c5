"""Builds Trials and Cases in a few words, for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.hypotheses import Case
from harness.model import Cell, Control, EndedBy, Exit, Fact, LastEvent, Outcome, Source, Trial

PLACE = LastEvent(1, 2, "forward", "backbone", 2)
FILES = {"python_error": "python_error.json", "exit_call": "exits.jsonl", "openmp_runtimes": "maps.txt"}


def trial(number: int = 1, outcome: str = "completed", **keys: Any) -> Trial:
    """Return a trial; `keys` are parts of its exit, `factors`, `last_event`, `facts` (name -> value) and `peak`."""
    factors: Mapping[str, Any] = keys.get("factors", {"threads": 2})
    cell = Cell(tuple(factors.items()))
    name = f"{cell.id}/{number}"
    facts = [
        Fact(key, value, (Source(f"trials/{name}/{FILES.get(key, 'memory.jsonl')}", 3),))
        for key, value in keys.get("facts", {}).items()
    ]
    exit_ = Exit(
        code=keys.get("code"), signal=keys.get("signal"), ntstatus=keys.get("ntstatus"), meaning="the meaning",
        ended_by=EndedBy(keys.get("ended_by", "itself")),
    )  # fmt: skip
    peak = keys.get("peak")
    facts += [Fact("peak_rss_bytes", peak, (Source(f"trials/{name}/exit.json", 9),))] if peak else []
    return Trial(
        name, cell, (), Outcome(outcome), exit_, keys.get("last_event", PLACE), peak, (), None, tuple(facts), (),
    )  # fmt: skip


def well(number: int = 1, **keys: Any) -> Trial:
    """Return a trial that completed."""
    return trial(number, "completed", **{"code": 0, **keys})


def died(number: int = 1, **keys: Any) -> Trial:
    """Return a trial that died."""
    return trial(number, "died", **keys)


def case(*trials: Trial, stderr: str = "", controls: tuple[Control, ...] = ()) -> Case:
    """Return the case of these trials; `stderr` is what each failure printed."""
    lines = tuple(stderr.splitlines())
    return Case(trials, {one.id: lines if one.outcome.is_failure else () for one in trials}, controls)
