"""When stderr grew, and how far, into spoken.jsonl: what was said last can be told from what was said long before.

All processes of a trial write into one file, and no line of it has a time. A row says that the bytes up to `stderr`
were there at `t`, and those beyond the row before it were not yet there at `since`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from probes import records
from probes.outside.probe import Probe, Watched

PACE_SECONDS = 0.1


class SpokenProbe(Probe):
    """Looks at the size of stderr, and writes a row where it is another."""

    name = "spoken"

    def __init__(self, watched: Watched) -> None:
        """Begin with an empty file."""
        super().__init__(watched)
        self.interval_seconds = PACE_SECONDS
        self._size, self._looked = 0, watched.started
        self._file = records.Appender(watched.folder / records.SPOKEN)

    def sample(self, now: float) -> None:
        """Append a row if something was said since the last look."""
        size = _size(self.watched.folder / records.STDERR)
        if size != self._size:
            self._file.write({"t": round(now, 4), "since": round(self._looked, 4), "stderr": size})
        self._size, self._looked = size, now

    def close(self) -> None:
        """Look once more, before stderr is split into its parts; close the record."""
        self.sample(time.perf_counter())
        self._file.close()


def _size(path: Path) -> int:
    return os.stat(path).st_size if path.exists() else 0
