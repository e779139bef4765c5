"""Samples a running trial until it has ended, or until one of its limits is reached and no probe objects."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from harness.launch import stop_rules
from harness.launch.no_progress import (
    allowed_seconds,
)
from harness.launch.process import Child
from harness.launch.pulses import Pulses
from harness.launch.standstill import Standstill
from harness.launch.stop_rules import Pulse
from harness.launch.system import verbs
from harness.plan.plan_file import Plan
from probes import records
from probes.outside import Probe, Watched

KeepGoing = Callable[[Pulse], bool]


class Watch:
    """One trial under observation; `until_end` is called once."""

    def __init__(self, child: Child, watched: Watched, probes: list[Probe], plan: Plan) -> None:
        """Take what has been started, and the plan whose limits hold."""
        self._child, self._watched, self._probes, self._limits = child, watched, probes, plan.limits
        survive = plan.survive
        self._pulses = Pulses(watched, probes, counts_forwards=survive is not None and survive.field == "forwards")
        self._armed = stop_rules.from_plan(plan.limits, survive)
        self._standstill = Standstill(watched)

    def until_end(self, keep_going: KeepGoing) -> str | None:
        """Sample until the child has ended; return the limit at which the harness ended it, None where it did not.

        `keep_going` is shown every pulse and answers False to have the trial ended ("interrupted").
        """
        while not verbs.has_ended(self._child):
            now = time.perf_counter()
            self._sample(now)
            pulse = self._pulses.take(now)
            reason = self._reason_to_end(pulse, keep_going(pulse))
            if reason and not verbs.has_ended(self._child) and not self._is_vetoed(reason, pulse):
                verbs.end(self._child)
                return reason
            time.sleep(self._watched.interval_seconds)
        return None

    def _sample(self, now: float) -> None:
        for probe in self._probes:
            if now >= probe.due:
                probe.sample(now)
                probe.due = now + probe.interval_seconds

    def _reason_to_end(self, pulse: Pulse, keep_going: bool) -> str | None:
        reached = next((limit.name for limit in self._armed if limit.reached(pulse)), None)
        if reached is None and keep_going and self._standstill.is_closed(pulse.idle_seconds):
            return stop_rules.NO_PROGRESS
        return reached if keep_going else "interrupted"

    def _is_vetoed(self, reason: str, pulse: Pulse) -> bool:
        """Note the limit; let every probe take what only now can be had. Whether one has seen it move after all."""
        allowed = allowed_seconds(self._limits, pulse.median_step_seconds)
        told = {"t": time.perf_counter(), "limit": reason, **dataclasses.asdict(pulse), "allowed_idle_seconds": allowed}
        records.append(self._watched.folder / records.LIMITS, told)
        return any([probe.before_end(reason) for probe in self._probes])
