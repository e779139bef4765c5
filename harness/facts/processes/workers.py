"""The process that the target had started and that died first, of a signal: a worker, a rank, a subprocess; pure.

The exception in the main process is only the messenger. Where no record of the process itself tells, the DataLoader's
message does. Source: torch/csrc/DataLoader.cpp, handler_SIGBUS and
THDataLoader_errorIfAnyWorkerFails, which words the signal with strsignal(3).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.facts.processes.ends import LOADER, by_words
from harness.model import Fact, Source
from probes import records


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `worker_death`: {pid, signal} of the process that died first, where that is not the observed one."""
    first = first_death.deaths(folder).first
    if first is not None and first.folder and first.signal:
        return [Fact("worker_death", {"pid": first.pid, "signal": first.signal}, first.sources)]
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
