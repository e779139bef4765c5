"""Keeps the process alive at an uncaught error that may come of a limit, until the supervisor has seen what is in use.

Descriptors, threads and mappings go with the process; while its main program is left they are still there. The record
of the error is what the supervisor waits for, and a mark beside it is its answer. A target that nobody supervises, or
one whose supervisor is too busy, waits no longer than a second.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Optional

from .lines import RecordFolder

MARK = "error.seen"
MOST_SECONDS, APART_SECONDS = 1.0, 0.004
_supervised: list = []  # of this process and its forked children


def expect() -> None:
    """There is a supervisor, who looks where the limits of a process can be read: on Linux."""
    if sys.platform == "linux":
        _supervised.append(True)


def wait(folder: RecordFolder, error: Optional[BaseException]) -> None:
    """Wait until the mark is there, where the error is of a kind that a refusal of the system can be behind."""
    if not _supervised or not isinstance(error, (OSError, MemoryError, RuntimeError)):
        return
    mark, until = folder.file(MARK), time.perf_counter() + MOST_SECONDS
    while not os.path.exists(mark) and time.perf_counter() < until:
        time.sleep(APART_SECONDS)
