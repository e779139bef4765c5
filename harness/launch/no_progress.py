"""How long a trial has made no progress, and how long it may: pure, the clock is an argument.

Progress is a new flight record or a new byte of output. How long is too long depends on the target: a step may take a
millisecond or a minute, so once steps have been timed the limit is a number of them.
"""

from __future__ import annotations

import statistics
from collections import deque

from harness.plan.plan_file import Limits

STEPS_KEPT = 101  # the newest ones: a run that slows down is judged by its own new pace


def allowed_seconds(limits: Limits, median_step_seconds: float | None) -> float:
    """Return the seconds without progress at which a trial counts as standing still.

    The plan's fixed number where it has one; else, before the first step is done (start-up, imports, data checks: its
    pace is not known yet), the starting limit; from then on so many median steps, and never less than the least.
    """
    if limits.no_progress_seconds is not None:
        return limits.no_progress_seconds
    if median_step_seconds is None:
        return limits.no_progress_start_seconds
    return max(limits.no_progress_least_seconds, limits.no_progress_steps * median_step_seconds)


class Stillness:
    """Follows one trial's marks of progress and the durations of its steps."""

    def __init__(self, started: float) -> None:
        """Begin at the launch."""
        self.median_step_seconds: float | None = None
        self._mark: tuple[int, ...] = ()
        self._moved = started
        self._done = 0
        self._step_began: float | None = None
        self._durations: deque[float] = deque(maxlen=STEPS_KEPT)

    def see(self, now: float, mark: tuple[int, ...], step: int, done: int) -> float:
        """Return the seconds since `mark` last changed; `step` counts the steps begun, `done` those done."""
        if mark != self._mark:
            self._mark, self._moved = mark, now
        self._time_steps(now, step, done)
        return now - self._moved

    def _time_steps(self, now: float, step: int, done: int) -> None:
        """Steps that were done between two looks share the time evenly; the first begins where a step is first seen."""
        if self._step_began is None and step > 0:
            self._step_began = now
        count = done - self._done
        if count > 0 and self._step_began is not None:
            self._durations.extend([(now - self._step_began) / count] * min(count, STEPS_KEPT))
            self._done, self._step_began = done, now
            self.median_step_seconds = statistics.median(self._durations)
