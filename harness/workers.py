"""What the main process tells of a DataLoader worker that died: who died first, and of what; pure.

The exception in the main process is only the messenger. Source: torch/csrc/DataLoader.cpp, handler_SIGBUS and
THDataLoader_errorIfAnyWorkerFails, which words the signal with strsignal(3).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from harness.folder import TrialFolder
from harness.model import Fact, Source
from probes import records

KILLED = re.compile(r"DataLoader worker \(pid (\d+)\) is killed by signal: ([A-Z][\w -]*\w)")
SIGNALS = {
    "Killed": "SIGKILL", "Terminated": "SIGTERM", "Hangup": "SIGHUP", "CPU time limit exceeded": "SIGXCPU",
    "Segmentation fault": "SIGSEGV", "Bus error": "SIGBUS", "Aborted": "SIGABRT", "Illegal instruction": "SIGILL",
    "Floating point exception": "SIGFPE",
}  # fmt: skip


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `worker_death`: {pid, signal} of the first worker that is said to have been killed by a signal."""
    told = ((KILLED.search(text), source) for text, source in _texts(folder))
    found = ((match, source) for match, source in told if match)
    return [
        Fact("worker_death", {"pid": int(match[1]), "signal": SIGNALS.get(match[2], match[2])}, (source,))
        for match, source in itertools.islice(found, 1)
    ]


def _texts(folder: TrialFolder) -> Iterator[tuple[str, Source]]:
    """Yield the tracebacks of uncaught exceptions (a cause comes before its effect), then the lines of stderr."""
    for row in folder.own_lines(records.PYTHON_ERROR):
        yield "\n".join(row.value.get("traceback") or ()), folder.source(records.PYTHON_ERROR, row.line)
    for number, line in enumerate(folder.text(records.STDERR).splitlines(), 1):
        yield line, folder.source(records.STDERR, number)
