"""One change of a cell: what a trial is to do otherwise than the plan says; which there are, `decide/` knows."""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.model import Cell


@dataclasses.dataclass(frozen=True)
class Intervention:
    """One change. `isolates` is the hypothesis that it alone can decide; None: it informs, and decides nothing.

    `factors` replaces factor values of the cell, `variables` sets environment variables, `memory_share` is a memory
    limit as a share of the cell's measured peak, `stack_bytes` the size of every stack; `onednn`, `inside_probes` and
    `own_signals` switch off; `lift_limits` lifts what may be lifted (probes/inside/lift.py). `torch_threads` is what
    torch is told, None: the cell's number; `tells_torch` False: torch is told nothing and follows the variables.
    `one_core`: all threads on one core; `switch_seconds`: for how long one of Python's threads may run before another
    one's turn (sys.setswitchinterval).
    """

    id: str
    isolates: str | None = None
    factors: tuple[tuple[str, Any], ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    memory_share: float | None = None
    stack_bytes: int | None = None
    onednn: bool = True
    inside_probes: bool = True
    own_signals: bool = True
    lift_limits: bool = False
    torch_threads: int | None = None
    tells_torch: bool = True
    one_core: bool = False
    switch_seconds: float | None = None

    def applied_to(self, cell: Cell) -> Cell:
        """Return the cell with this intervention's factor values; factors that the cell lacks are added."""
        return Cell(tuple((cell.as_dict() | dict(self.factors)).items()))
