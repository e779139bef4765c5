"""Builds Trials and Cases in a few words, for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.decide.hypotheses import Case
from harness.model import Cell, Control, EndedBy, Exit, Fact, LastEvent, Outcome, Signature, Source, Trial

PLACE = LastEvent(1, 2, "forward", "backbone", 2)
FILES = {
    "python_error": "python_error.json", "exit_call": "exits.jsonl", "openmp_runtimes": "maps.txt",
    "allocation_failure": "stderr.log", "kernel_oom_line": "kernel.jsonl", "oom_kill_in_group": "pressure.jsonl",
}  # fmt: skip


def trial(number: int = 1, outcome: str = "completed", **keys: Any) -> Trial:
    """Return a trial; `keys` are parts of its exit, `factors`, `under` (an intervention's id), `last_event`, `facts`
    (name -> value), `peak`, and `loose` (what its stack says; every failure has a signature).
    """
    factors: Mapping[str, Any] = keys.get("factors", {"threads": 2})
    cell, under = Cell(tuple(factors.items())), keys.get("under")
    name = f"{cell.id}+{under}/{number}" if under else f"{cell.id}/{number}"
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
        id=name, cell=cell, interventions=(under,) if under else (), outcome=Outcome(outcome), exit=exit_,
        last_event=keys.get("last_event", PLACE), peak_rss_bytes=peak, forwards=(),
        signature=_signature(Outcome(outcome), exit_, keys.get("loose", "kernel < forward (2)")), facts=tuple(facts),
        gaps=(),
    )  # fmt: skip


def _signature(outcome: Outcome, exit_: Exit, loose: str | None) -> Signature | None:
    how = "hang" if outcome is Outcome.HUNG else exit_.signal or exit_.ntstatus or f"exit {exit_.code}"
    return Signature(None, loose and f"{how}: {loose}", f"{how} in forward") if outcome.is_failure else None


def well(number: int = 1, **keys: Any) -> Trial:
    """Return a trial that completed."""
    return trial(number, "completed", **{"code": 0, **keys})


def died(number: int = 1, **keys: Any) -> Trial:
    """Return a trial that died."""
    return trial(number, "died", **keys)


def proven(*hypotheses: str) -> tuple[Control, ...]:
    """Return controls of these families that have been seen to fire."""
    return tuple(Control(f"planted {name}", name, name, True) for name in hypotheses)


def case(*trials: Trial, stderr: str = "", controls: tuple[Control, ...] = ()) -> Case:
    """Return the case of these trials; `stderr` is what each failure printed."""
    lines = tuple(stderr.splitlines())
    return Case(trials, {one.id: lines if one.outcome.is_failure else () for one in trials}, controls)
