"""When the harness ends a trial: each limit is a small object with a check and a message."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from harness.plan import Limits


@dataclasses.dataclass(frozen=True)
class Pulse:
    """What the supervisor knows of a running trial at one instant. `idle_seconds`: since the last sign of progress."""

    seconds: float
    idle_seconds: float
    rss_bytes: int
    threads: int
    step: int
    steps_done: int
    kind: str


class Limit(Protocol):
    """One reason to end a trial."""

    @property
    def name(self) -> str:
        """What exit.json calls it."""

    def reached(self, pulse: Pulse) -> bool:
        """Whether the trial must be ended now."""


@dataclasses.dataclass(frozen=True)
class Threshold:
    """Ends a trial when one number of its pulse reaches `most`."""

    name: str
    field: str
    most: float

    def reached(self, pulse: Pulse) -> bool:
        """Whether the number has reached its most."""
        value: Any = getattr(pulse, self.field)
        return bool(value >= self.most)


def from_plan(limits: Limits) -> tuple[Limit, ...]:
    """Return the limits that the plan sets; steps first, as it is the one that means well."""
    table = (
        ("steps", "steps_done", limits.steps),
        ("memory", "rss_bytes", limits.memory_bytes),
        ("no progress", "idle_seconds", limits.no_progress_seconds),
        ("wall time", "seconds", limits.wall_seconds),
    )
    return tuple(Threshold(name, field, most) for name, field, most in table if most is not None)
