"""The end of a trial, whatever happened while it was watched: swept, its probes closed, reaped, in that order."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any

from harness.facts.ended.ntstatus import ENDED_BY_HARNESS
from harness.facts.ended.signal_names import signal_name
from harness.facts.hang.halted import UNKILLABLE
from harness.launch.process import Child, Reaped
from harness.launch.system import verbs
from harness.model import EndedBy
from probes import records
from probes.outside import PROBES, Probe, Watched
from probes.outside.crash import torch_stacks
from probes.outside.ends import halted

CONTROL_C_EXIT = 0xC000013A
SENT = (  # what ends a program from outside, whoever sent it; a fault raises none of these
    "SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGXCPU", "SIGXFSZ", "SIGUSR1", "SIGUSR2", "SIGALRM",
    "SIGPIPE", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGPOLL", "SIGPWR", "SIGSTKFLT", "SIGRTMIN", "SIGRTMAX",
)  # fmt: skip
UNNAMED = "signal "  # the real-time signals in between


class Closing:
    """While entered, the probes are open; left, the child is reaped, and `write` may say how it ended."""

    def __init__(self, child: Child, watched: Watched) -> None:
        """Take a child that has just been started."""
        self._child, self._watched = child, watched
        self._started = datetime.now(UTC)
        self.probes = _open_probes(watched)
        self._left: list[int] = []
        self._reaped: Reaped | None = None
        self._halted: list[dict[str, Any]] = []

    def __enter__(self) -> Closing:
        return self

    def __exit__(self, *_: object) -> None:
        self._left = verbs.sweep(self._child)
        self._halted = halted.note(self._watched.folder, self._child.extra.get("stuck", []), "after SIGKILL")
        for probe in self.probes:
            probe.close()
        torch_stacks.separate(self._watched.folder, self._child.pid)
        self._reaped = verbs.reap(self._child)

    def write(self, limit: str | None) -> None:
        """Write exit.json, the last of all records; `limit` is the one at which the harness ended the trial."""
        reaped = self._reaped or UNENDED
        record = self._record(reaped, limit if self._reaped else UNKILLABLE)
        stuck = {"limit_asked": limit, "halted": self._halted} if self._reaped is None else {}
        not_ended = [pid for pid in self._child.extra.get("stuck", ()) if pid != self._child.pid]
        records.write_json(
            self._watched.folder / records.EXIT,
            {**record, **stuck, **({"not_ended": not_ended} if not_ended else {})},
        )

    def _record(self, reaped: Reaped, limit: str | None) -> dict[str, Any]:
        name = signal_name(reaped.signal)
        return {
            "system": sys.platform, "pid": self._child.pid, "code": reaped.code, "signal": name,
            "ntstatus": None if reaped.ntstatus is None else f"0x{reaped.ntstatus:08X}",
            "ended_by": _ended_by(name, reaped, limit), "limit": limit, "core": reaped.core,
            "max_rss_bytes": reaped.max_rss_bytes, "user_seconds": reaped.user_seconds,
            "system_seconds": reaped.system_seconds, "left_behind": self._left,
            "started": self._started.isoformat(timespec="milliseconds"), "started_monotonic": self._watched.started,
            "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": time.perf_counter() - self._watched.started,
        }  # fmt: skip


UNENDED = Reaped(None, None, None, None, None, None, None)  # nothing is known of the end of what has none


def _open_probes(watched: Watched) -> list[Probe]:
    """Open every probe that works here; of the others, write down why not."""
    missing = [(kind, kind.missing()) for kind in PROBES]
    for kind, reason in missing:
        if reason is not None:
            records.append(watched.folder / records.GAPS, {"probe": kind.name, "reason": reason})
    return [kind(watched) for kind, reason in missing if reason is None]


def _ended_by(name: str | None, reaped: Reaped, limit: str | None) -> str:
    """A limit's kill counts only where the death is ours: a child that crashed in that very instant ended itself."""
    if limit == UNKILLABLE or (limit and (name == "SIGKILL" or reaped.code == ENDED_BY_HARNESS)):
        return EndedBy.HARNESS
    is_sent = name in SENT or (name or "").startswith(UNNAMED)
    return EndedBy.OUTSIDE if is_sent or reaped.ntstatus == CONTROL_C_EXIT else EndedBy.ITSELF
