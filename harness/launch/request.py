"""One trial as it is asked for: which cell, which plan, what is changed about it, under which limit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.model import Cell
from harness.plan.intervention import Intervention
from harness.plan.plan_file import Plan
from harness.plan.target_section import MEMORY_FACTOR, problem_of

UNCHANGED = Intervention("as asked for")


@dataclasses.dataclass(frozen=True)
class Request:
    """One trial to run: its id (which is its folder under the inquest's), its cell, the plan, what is changed.

    `capture`: which call of which module is to be recorded, operator by operator (probes/inside/capture.py).
    """

    id: str
    folder: Path
    cell: Cell
    plan: Plan
    intervention: Intervention | None = None
    memory_limit_bytes: int | None = None
    memory_means: str | None = None
    capture: Mapping[str, Any] | None = None

    @property
    def limit_bytes(self) -> int | None:
        """The memory limit: an intervention's, else the cell's own; the tighter where there are both."""
        limits = [self.memory_limit_bytes, self.cell.as_dict().get(MEMORY_FACTOR)]
        return min((limit for limit in limits if limit is not None), default=None)

    @property
    def change(self) -> Intervention:
        """The intervention, or one that changes nothing."""
        return self.intervention or UNCHANGED

    @property
    def effective(self) -> Cell:
        """The factor values that the target gets: the cell's, under the intervention."""
        return self.change.applied_to(self.cell)

    @property
    def told_threads(self) -> int | None:
        """The number of threads that torch is told by a call; None: it follows the variables."""
        threads: int | None = self.effective.as_dict().get("threads")
        return (self.change.torch_threads or threads) if self.change.tells_torch else None

    @property
    def loader_workers(self) -> int | None:
        """The number of workers that a DataLoader is told from inside; None: it is the target's own affair.

        Only where an intervention changes it and the target has no other way to be given the number.
        """
        wanted: int | None = dict(self.change.factors).get("num_workers")
        told = wanted is not None and problem_of(self.plan.target, "num_workers", (wanted,)) is not None
        return wanted if told else None
