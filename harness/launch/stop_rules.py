"""When the harness ends a trial: each limit is a small object with a check and a message."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from harness.launch.no_progress import (
    allowed_seconds,
)
from harness.plan.plan_file import Limits
from harness.plan.survive import Survive

NO_PROGRESS = "no progress"
WELL = ("survived", "steps")  # the limits that mean well: the trial was ended alive


@dataclasses.dataclass(frozen=True)
class Pulse:
    """What the supervisor knows of a running trial at one instant.

    `idle_seconds`: since the last sign of progress. `median_step_seconds`: None until the first step is done.
    `forwards`: of whole models, counted only where the plan asks for them. `deaths`: of processes that the target
    started and that did not end well.
    """

    seconds: float
    idle_seconds: float
    rss_bytes: int
    threads: int
    step: int
    steps_done: int
    kind: str
    median_step_seconds: float | None = None
    forwards: int = 0
    deaths: int = 0


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


@dataclasses.dataclass(frozen=True)
class NoProgress:
    """Ends a trial that has stood still for longer than the plan and its own pace allow."""

    limits: Limits
    name: str = NO_PROGRESS

    def reached(self, pulse: Pulse) -> bool:
        """Whether it has stood still for too long."""
        return pulse.idle_seconds >= allowed_seconds(self.limits, pulse.median_step_seconds)


@dataclasses.dataclass(frozen=True)
class Survived:
    """Ends a trial well that has lived for as long as the plan asks, when nothing of it has died by then."""

    survive: Survive
    name: str = "survived"

    def reached(self, pulse: Pulse) -> bool:
        """Whether it has lived for long enough."""
        value: Any = getattr(pulse, self.survive.field)
        return bool(value >= self.survive.number) and pulse.deaths == 0


def from_plan(limits: Limits, survive: Survive | None = None) -> tuple[Limit, ...]:
    """Return the plan's limits; first those that mean well. The one for progress is always armed."""
    return (
        *((Survived(survive),) if survive else ()),
        *_thresholds(("steps", "steps_done", limits.steps), ("memory", "rss_bytes", limits.memory_bytes)),
        NoProgress(limits),
        *_thresholds(("wall time", "seconds", limits.wall_seconds)),
    )


def _thresholds(*table: tuple[str, str, float | None]) -> tuple[Limit, ...]:
    return tuple(Threshold(name, field, most) for name, field, most in table if most is not None)
