"""When to look whether a trial that makes no progress can still move: early, since the look costs next to nothing.

After ten seconds without progress, two looks five seconds apart; where they leave it open, again after thirty seconds
more. Only a standstill that is closed is ended before its time: what could still go on is given what the plan allows.
"""

from __future__ import annotations

import sys

from harness.facts.hang import closed, tree
from probes.outside import Watched
from probes.outside.progress import tree_look

FIRST_SECONDS = 10.0
APART_SECONDS = 5.0
AGAIN_SECONDS = 30.0


class Standstill:
    """Takes the looks at one trial; `is_closed` is asked at every pulse and answers at once but for a look's cost."""

    def __init__(self, watched: Watched) -> None:
        """Follow a trial that has begun."""
        self._watched = watched
        self._due = FIRST_SECONDS
        self._open = False  # whether the first look of two has been taken

    def is_closed(self, idle_seconds: float) -> bool:
        """Whether the trial stands still for good; `idle_seconds`: since it last moved."""
        if sys.platform != "linux":
            return False
        if idle_seconds < FIRST_SECONDS:
            self._due, self._open = FIRST_SECONDS, False
        if idle_seconds < self._due:
            return False
        tree_look.take(self._watched)
        self._open = not self._open
        self._due = idle_seconds + (APART_SECONDS if self._open else AGAIN_SECONDS)
        return not self._open and self._judge()

    def _judge(self) -> bool:
        rows = tree.rows(self._watched.folder)[-2:]
        first, second = (tree.read(self._watched.folder, row) for row in rows)
        return closed.circle(first, second).is_closed
