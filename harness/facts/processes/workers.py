"""The process that the target had started and that died first: a worker, a rank, a subprocess, a tool; pure.

The exception in the main process is only the messenger. Where no record of the process itself tells, the DataLoader's
message does. Source: torch/csrc/DataLoader.cpp, handler_SIGBUS and
THDataLoader_errorIfAnyWorkerFails, which words the signal with strsignal(3).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from harness.facts.ended import exit_calls
from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.facts.processes.ends import LOADER, by_words
from harness.model import Fact, Source
from probes import records


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `worker_death`: {pid, signal, code, ...} of the process that died first, where that is not the observed
    one, and the calls by which it asked for its end.
    """
    first = first_death.deaths(folder).first
    if first is not None and first.folder:
        value = {
            "pid": first.pid, "signal": first.signal, "code": first.code, "error": first.error,
            "command": first.command, "started_by": first.how, "sent_by": first.sent_by, "rank": first.rank,
        }  # fmt: skip
        return [
            Fact("worker_death", value, first.sources),
            *exit_calls.of_process(folder, first.pid, first.folder, first.code),
        ]
    told = ((LOADER.search(text), source) for text, source in _texts(folder))
    found = ((match, source) for match, source in told if match)
    return [
        Fact("worker_death", {"pid": int(match["pid"]), "signal": by_words(match["word"])}, (source,))
        for match, source in itertools.islice(found, 1)
    ]


def _texts(folder: TrialFolder) -> Iterator[tuple[str, Source]]:
    """Yield the tracebacks of uncaught exceptions (a cause comes before its effect), then the lines of stderr."""
    for row in folder.own_lines(records.PYTHON_ERROR):
        yield "\n".join(row.value.get("traceback") or ()), folder.source(records.PYTHON_ERROR, row.line)
    for number, line in enumerate(folder.text(records.STDERR).splitlines(), 1):
        yield line, folder.source(records.STDERR, number)
