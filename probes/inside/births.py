"""Tells of Python's own threads when there are more at once than ever before: some live too shortly for samples.

Each new most is one line, which is at most one a thread; where there are many, only what exceeds the last by a quarter.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from .lines import Lines

FEW = 8
GROWTH = 1.25


class Census:
    """Counts the threads of this process that live at once; of a forked child anew."""

    def __init__(self, inside: Lines) -> None:
        """Know of the main thread."""
        self._inside, self._most, self._pid = inside, 1, os.getpid()

    def count(self) -> None:
        """Note how many there are now, where that is more than was told."""
        if os.getpid() != self._pid:
            self._most, self._pid = 1, os.getpid()
        alive = threading.active_count()
        if alive > self._most and (alive <= FEW or alive >= GROWTH * self._most):
            self._most = alive
            self._inside.write(event="threads", python_threads=alive)


def watch(inside: Lines) -> None:
    """Count with every thread that `threading` starts from now on; nothing where this Python starts them otherwise."""
    original: Any = getattr(threading.Thread, "_bootstrap_inner", None)
    if original is not None:
        inside.write(event="threads", python_threads=threading.active_count())
        threading.Thread._bootstrap_inner = _counted(original, Census(inside))  # type: ignore[attr-defined]


def _counted(original: Callable, census: Census) -> Callable:
    def _bootstrap_inner(thread: threading.Thread) -> None:
        census.count()
        original(thread)

    return _bootstrap_inner
