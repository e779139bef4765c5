"""The libraries mapped into the process, as they appear, into maps.txt (lines of proc_pid_maps(5)).

From the kernel's own list, not from importing anything: importing can change what it reports.
"""

from __future__ import annotations

import sys

import psutil

from probes.outside.probe import Probe, Watched, run_tool
from probes.records import MAPS


class MapsProbe(Probe):
    """Appends the first mapping of every file that is mapped as code; a library is listed once."""

    name = "maps"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        super().__init__(watched)
        self._seen: set[str] = set()
        self._file = open(watched.folder / MAPS, "a", encoding="utf-8")  # noqa: SIM115 - closed by close()

    def sample(self, now: float) -> None:
        """Append the libraries that are new."""
        for path, line in _code_mappings(self.watched.pid):
            if path not in self._seen:
                self._seen.add(path)
                self._file.write(line + "\n")
        self._file.flush()
        self.interval_seconds = min(10.0, max(1.0, now - self.watched.started))  # libraries come early

    def close(self) -> None:
        """Close the record."""
        self._file.close()


def _code_mappings(pid: int) -> list[tuple[str, str]]:
    if sys.platform == "linux":  # by a tool: the file refuses to be read the moment the process dies
        lines = run_tool(["cat", f"/proc/{pid}/maps"]).stdout.splitlines()
        parts = [(line.split(None, 5), line) for line in lines]
        return [
            (fields[5], line) for fields, line in parts if len(fields) == 6 and "x" in fields[1] and "/" in fields[5]
        ]
    if sys.platform == "win32":
        from probes.outside.machine import win32

        return [(path, path) for path in win32.Process(pid).modules()]
    process = psutil.Process(pid)
    maps = process.as_dict(["memory_maps"], ad_value=None)["memory_maps"] if process.is_running() else None
    return [(entry.path, entry.path) for entry in maps or ()]
