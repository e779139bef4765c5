"""The snapshot before the kill: SIGKILL cannot be held, so the process is looked at while memory is about to run out.

Two looks at most. The first when what is left under the tightest limit falls below the threshold, or will be gone
within two seconds at the present growth; the second at a quarter of both. native/headroom-1, -2 hold them.

The threshold is 3 % of the limit and at least 64 MiB: under a small limit 3 % is gone between two samples. It is at
most a quarter of the limit, or a program under a small one would be looked at for having started. It catches the slow;
the fast are caught by the prediction: one thread touches fresh memory at 1 to 4 GB/s, so 64 MiB are 50 ms.
The tools stop the process while they look, which is welcome: meanwhile it does not grow.
"""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from probes import records
from probes.outside.memory.ceilings import Ceiling, Ceilings
from probes.outside.probe import Probe, Watched
from probes.outside.progress.flight import read_ring
from probes.outside.snapshot import Snapshot

INTERVAL_SECONDS, SLOWEST_SECONDS = 0.1, 0.5
YOUNG_SECONDS = 3.0  # of a process: it may still put itself under a limit, which is not seen before it is asked for
FASTEST_GROWTH = 4e9  # bytes a second, as one thread touches fresh memory
SHARE, LEAST_BYTES, MOST_SHARE = 0.03, 64 << 20, 0.25
HORIZON_SECONDS = 2.0
WINDOW_SECONDS = 1.0
STAGES = (1.0, 0.25)  # of threshold and horizon: the first look, the second
APART_SECONDS = 1.0  # between the two: the second must have something new to say
LOOK_SECONDS = 4.0
FLIGHT_TAIL = 64
LARGEST = 15
LARGEST_SCRIPT = (  # Source: smaps in proc_pid_smaps(5): a line "START-END ..." heads each mapping, then "Rss: N kB"
    '/^[0-9a-f]+-[0-9a-f]+ /{head=$0} /^Rss:/{print $2 " kB  " head}'
)


class HeadroomProbe(Probe):
    """Watches what is left under every limit, and looks before it is gone."""

    name = "headroom"

    def __init__(self, watched: Watched) -> None:
        """Learn the plan's limit, and the process' own."""
        super().__init__(watched)
        self.interval_seconds = INTERVAL_SECONDS
        spec = records.read_json(watched.folder / records.SPEC) or {}
        self._ceilings = Ceilings(watched.pid, (spec.get("limits") or {}).get("memory_bytes"))
        self._history: dict[str, deque[tuple[float, int]]] = {}
        self._taken = 0
        self._again = 0.0

    def sample(self, now: float) -> None:
        """Ask every limit; look where one is about to be reached."""
        found = self._ceilings.now()
        growths = [self._growth(ceiling, now) for ceiling in found]
        young = now - self.watched.started < YOUNG_SECONDS
        self.interval_seconds = INTERVAL_SECONDS if young else pace(found)
        if self._taken < len(STAGES) and now >= self._again:
            due = (pair for pair in zip(found, growths, strict=True) if is_due(*pair, STAGES[self._taken]))
            ceiling, growth = next(due, (None, 0.0))
            if ceiling is not None:
                self._look(ceiling, growth)

    def close(self) -> None:
        """Close the process' files."""
        self._ceilings.close()

    def _growth(self, ceiling: Ceiling, now: float) -> float:
        """Return by how much use has grown over the last second, in bytes a second."""
        rows = self._history.setdefault(ceiling.name, deque())
        rows.append((now, ceiling.left_bytes))
        while now - rows[0][0] > WINDOW_SECONDS + INTERVAL_SECONDS / 2:
            rows.popleft()
        seconds = now - rows[0][0]
        return (rows[0][1] - ceiling.left_bytes) / seconds if seconds > 0.0 else 0.0

    def _look(self, ceiling: Ceiling, growth: float) -> None:
        """Write what is known at once, then what tools can read.

        The process may go at any instant, so its stacks (65 ms) and the files of /proc are taken side by side.
        """
        self._taken += 1
        began = time.perf_counter()
        snapshot = Snapshot(
            self.watched.pid,
            self.watched.folder / "native" / f"headroom-{self._taken}",
            self.watched.folder / records.GAPS,
            LOOK_SECONDS,
        )
        self._write(snapshot, ceiling, growth, began)
        with ThreadPoolExecutor(1) as beside:
            beside.submit(snapshot.files)
            snapshot.python()
        snapshot.threads()
        largest = f"awk '{LARGEST_SCRIPT}' /proc/{self.watched.pid}/smaps | sort -rn | head -{LARGEST}"
        snapshot.take("largest mappings", ["sh", "-c", largest], "largest_mappings.txt")
        if predicted_seconds(ceiling, growth) > HORIZON_SECONDS:  # it stops the process for up to some seconds
            snapshot.native()
        self._again = time.perf_counter() + APART_SECONDS
        self._history.clear()  # the process was stopped meanwhile: old samples would understate its growth

    def _write(self, snapshot: Snapshot, ceiling: Ceiling, growth: float, began: float) -> None:
        seconds = predicted_seconds(ceiling, growth)
        records.write_json(snapshot.folder / records.HEADROOM, {
            "t": round(began, 4), "limit": ceiling.name, "limit_bytes": ceiling.limit_bytes, "left": ceiling.left_bytes,
            "threshold_bytes": threshold_bytes(ceiling.limit_bytes), "growth_bytes_per_second": round(growth),
            "predicted_seconds": round(seconds, 3) if seconds < float("inf") else None,
        })  # fmt: skip
        flight = read_ring(self.watched.folder / records.FLIGHT_RING, self.watched.folder / records.FLIGHT_NAMES)
        rows = [dataclasses.asdict(row) for row in flight[-FLIGHT_TAIL:]]
        records.write_json(snapshot.folder / "flight_tail.json", {"records": rows})


def pace(found: Sequence[Ceiling]) -> float:
    """Return the seconds to the next sample: far from every limit none can be reached soon, and asking costs time."""
    least = min((ceiling.left_bytes for ceiling in found), default=0)
    return max(INTERVAL_SECONDS, min(SLOWEST_SECONDS, least / FASTEST_GROWTH / 4))


def threshold_bytes(limit_bytes: int) -> int:
    """Return how little must be left under a limit for the first look."""
    return int(min(max(LEAST_BYTES, SHARE * limit_bytes), MOST_SHARE * limit_bytes))


def predicted_seconds(ceiling: Ceiling, growth: float) -> float:
    """Return when the limit is reached at this growth (bytes a second); infinite where nothing grows."""
    return max(0.0, ceiling.left_bytes / growth) if growth > 0.0 else float("inf")


def is_due(ceiling: Ceiling, growth: float, stage: float) -> bool:
    """Whether so little is left, or will be, that this stage's look is to be taken now."""
    near = ceiling.left_bytes < stage * threshold_bytes(ceiling.limit_bytes)
    return near or predicted_seconds(ceiling, growth) < stage * HORIZON_SECONDS
