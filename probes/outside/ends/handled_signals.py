"""For which signals the processes of a trial have handlers of their own, into handled.jsonl, at each change.

A signal that is handled ends nobody, and so leaves no trace in an exit status. Source: SigCgt and SigIgn in
proc_pid_status(5). The inside probes' own handlers, and Python's for SIGINT, are there as well: a reader knows them.
"""

from __future__ import annotations

import os
import re
import sys

from probes import records
from probes.outside.probe import Probe, Watched
from probes.outside.system import quiet
from probes.outside.system.signals import name_of

PACE_SECONDS = 0.25
MOST_PROCESSES = 32
MASKS = re.compile(r"^(Sig(?:Ign|Cgt)):\s+([0-9a-f]+)", re.MULTILINE)
SIGNALS = 64


class HandledSignalsProbe(Probe):
    """Reads the masks of the observed process and of its descendants that have a folder."""

    name = "handled signals"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        super().__init__(watched)
        self.interval_seconds = PACE_SECONDS
        self._told: dict[int, dict[str, str]] = {}
        self._file = records.Appender(watched.folder / records.HANDLED)

    @classmethod
    def missing(cls) -> str | None:
        """Return why the masks cannot be read here."""
        return None if sys.platform == "linux" else "which signals a process handles is told by Linux only"

    def sample(self, now: float) -> None:
        """Append a row for each process whose masks are others than they were; one that has ended has none."""
        for pid in self._processes():
            masks = dict(MASKS.findall(quiet.read_text(f"/proc/{pid}/status")))
            if masks and masks != self._told.get(pid):
                self._told[pid] = masks
                handled, ignored = names(masks["SigCgt"]), names(masks["SigIgn"])
                self._file.write({"t": round(now, 4), "pid": pid, "handled": handled, "ignored": ignored})

    def close(self) -> None:
        """Close the record."""
        self._file.close()

    def _processes(self) -> list[int]:
        folder = self.watched.folder / records.PROCESSES
        others = [entry.name for entry in os.scandir(folder)] if folder.is_dir() else []
        return [self.watched.pid, *sorted(int(name) for name in others if name.isdigit())[:MOST_PROCESSES]]


def names(mask: str) -> list[str]:
    """Return the signals of a mask, which /proc writes in base 16, the lowest bit for signal 1."""
    bits = int(mask, 16)
    return [name_of(number) for number in range(1, SIGNALS + 1) if bits >> (number - 1) & 1]
