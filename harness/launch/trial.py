"""Run one trial: describe it, start it, watch it, close it. From a request to a folder of records; judges nothing."""

from __future__ import annotations

import time
from contextlib import ExitStack

from harness.launch import (
    child_spec,
)
from harness.launch.closing import Closing
from harness.launch.memory_limit import Confinement
from harness.launch.request import Request
from harness.launch.system import verbs
from harness.launch.watch import KeepGoing, Watch
from probes.outside import PROBES, Watched

__all__ = ["KeepGoing", "Request", "run"]


def run(request: Request, keep_going: KeepGoing) -> None:
    """Run one trial to its end; afterwards its folder holds all records, exit.json last.

    `keep_going` is shown every pulse and answers False to have the trial ended (Ctrl-C).
    """
    request.folder.mkdir(parents=True)
    with ExitStack() as stack:
        limit = stack.enter_context(Confinement(request.limit_bytes, request.folder, request.memory_means))
        described = child_spec.describe(request, limit.spec)
        child_spec.write(described)
        for kind in PROBES:
            kind.prepare()
        child = verbs.start(described.launch)
        watched = Watched(child.pid, request.folder, request.plan.interval_seconds, time.perf_counter())
        closing = stack.enter_context(Closing(child, watched))
        reached = Watch(child, watched, closing.probes, request.plan).until_end(keep_going)
    closing.write(reached)
