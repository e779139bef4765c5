"""Real control groups that bound the number of threads and processes, made for a test and removed after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

HIERARCHY = Path("/sys/fs/cgroup/pids")


def group_of(most: int) -> Iterator[Path]:
    """Yield a group for at most so many tasks, whose members have ended when it goes; skip where none can be made."""
    if not os.access(HIERARCHY, os.W_OK):
        pytest.skip("no control group can be made here")
    with ExitStack() as stack:
        made = HIERARCHY / f"inquest-test-{os.getpid()}"
        made.mkdir()
        stack.callback(made.rmdir)
        (made / "pids.max").write_text(str(most))
        yield made
