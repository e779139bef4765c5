"""What a process that is held at its end has in use, of each of its limits, and which of its files has no room left.

Between two samples a limit can fill within milliseconds; at the end, while the process is held, it still is as it was
when something was refused. One row of at_death.jsonl a look: {"t", "pid", "at", "limits", "file"}; sizes in bytes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from probes import records
from probes.outside.system import files, limits


def take(folder: Path, pid: int, at: str) -> None:
    """Append one row; `at`: what holds the process. Where it has gone, there is none."""
    if sys.platform != "linux":
        return
    found = [*limits.of_threads(pid), *limits.of_memory(pid), *limits.of_descriptors(pid), *limits.of_watches(pid)]
    full = [file for file in files.open_for_writing(pid) if file.is_full]
    if limits.is_there(pid):
        records.append(folder / records.AT_DEATH, {
            "t": round(time.perf_counter(), 4), "pid": pid, "at": at, "limits": found,
            "files": [files.described(file.path, file.space) for file in full],
        })  # fmt: skip
