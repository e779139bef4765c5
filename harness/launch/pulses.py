"""Turns what the probes and the flight rings say of a running trial into pulses."""

from __future__ import annotations

import os

from harness.launch.no_progress import (
    Stillness,
)
from harness.launch.stop_rules import Pulse
from probes import records
from probes.outside import Probe, Watched
from probes.outside.ends.process_ends import EndsProbe
from probes.outside.memory.process_samples import MemoryProbe
from probes.outside.progress.live_progress import Processes

SLOW_SECONDS = 0.25  # for what costs more than a look at one ring


class Pulses:
    """Progress is a new flight record of any process of the trial, or new output."""

    def __init__(self, watched: Watched, probes: list[Probe], counts_forwards: bool) -> None:
        """Follow a trial that has begun; forwards are counted only where they are asked for."""
        self._watched = watched
        self._processes = Processes(watched.folder)
        self._memory = next(probe for probe in probes if isinstance(probe, MemoryProbe))
        self._ends = [probe for probe in probes if isinstance(probe, EndsProbe)]
        self._stillness = Stillness(watched.started)
        self._outputs = [str(watched.folder / name) for name in (records.STDOUT, records.STDERR)]
        self._output, self._looked = 0, 0.0
        self._counts_forwards = counts_forwards

    def take(self, now: float) -> Pulse:
        """Return the pulse of this instant."""
        if now - self._looked >= SLOW_SECONDS:
            self._output, self._looked = sum(os.stat(path).st_size for path in self._outputs), now
            self._processes.look()
        newest = self._processes.leading()
        step, done = newest["step"], newest["done"]
        idle = self._stillness.see(now, (*self._processes.mark(), self._output), step, done)
        return Pulse(
            seconds=now - self._watched.started, idle_seconds=idle, rss_bytes=self._memory.rss_bytes,
            threads=self._memory.threads, step=step, steps_done=done, kind=newest["kind"],
            median_step_seconds=self._stillness.median_step_seconds,
            forwards=self._processes.count_forwards() if self._counts_forwards else 0,
            deaths=sum(probe.deaths for probe in self._ends),
        )  # fmt: skip
