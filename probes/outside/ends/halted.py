"""Processes that something holds still from outside: a frozen control group, a stop signal, a tracer, a lost device.

Asked before the harness ends a trial at a limit, and of a process that SIGKILL does not end, into halted.jsonl.
Sources: proc_pid_status(5) for state and tracer, wchan in proc(5); the kernel's Documentation/admin-guide/cgroup-v1/
freezer-subsystem.rst (freezer.state) and cgroup-v2.rst (cgroup.events).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from probes import records
from probes.outside.memory.tree_samples import descendants
from probes.outside.probe import Probe, Watched
from probes.outside.system import quiet

ROOT = Path("/sys/fs/cgroup")
FROZEN, STOPPED, TRACED, UNINTERRUPTIBLE = "frozen", "stopped", "traced", "uninterruptible"
LASTING_LOOKS, APART_SECONDS = 5, 0.05  # a sleep in which a disk is waited for lasts some milliseconds
MOST_PROCESSES = 8


class HaltedProbe(Probe):
    """Works only where the harness is about to end a trial."""

    name = "halted processes"

    def __init__(self, watched: Watched) -> None:
        """Take nothing yet."""
        super().__init__(watched)
        self.interval_seconds = self.due = float("inf")

    @classmethod
    def missing(cls) -> str | None:
        """Return why the state of a process cannot be read here."""
        return None if sys.platform == "linux" else "it reads /proc, which this system does not have"

    def before_end(self, reason: str) -> bool:
        """Note which processes of the trial something holds still."""
        pids = [self.watched.pid, *(child.pid for child in descendants(self.watched.pid))]
        note(self.watched.folder, list(dict.fromkeys(pids))[:MOST_PROCESSES], f"at the limit: {reason}")
        return False


def note(folder: Path, pids: list[int], when: str) -> list[dict[str, Any]]:
    """Append a row for each of these processes that is held still, and return the rows; `when`: why it was asked."""
    found = [{"t": time.perf_counter(), "when": when, **row} for row in map(read, pids) if row is not None]
    for row in found:
        records.append(folder / records.HALTED, row)
    return found


def read(pid: int) -> dict[str, Any] | None:
    """Return what holds a process still and how that shows, or None where nothing does, or it has gone."""
    status = _fields(quiet.read_text(f"/proc/{pid}/status"))
    group = frozen_group(quiet.read_text(f"/proc/{pid}/cgroup"))
    kind = FROZEN if group and status else _kind(pid, status)
    if kind is None:
        return None
    tracer = int(status.get("TracerPid", "0"))
    return {
        "pid": pid, "kind": kind, "state": status.get("State", "?"), "name": status.get("Name"),
        "wchan": quiet.read_text(f"/proc/{pid}/wchan").strip("\0\n"), "group": group, "tracer": tracer or None,
        "tracer_name": quiet.read_text(f"/proc/{tracer}/comm").strip() if tracer else None,
    }  # fmt: skip


def is_frozen(pid: int) -> bool:
    """Whether no tool can stop a process to look at its stacks: it would wait for the thaw."""
    return frozen_group(quiet.read_text(f"/proc/{pid}/cgroup")) is not None


def frozen_group(membership: str, root: Path = ROOT) -> str | None:
    """Return the control group that holds a process still; `membership` is the text of /proc/PID/cgroup."""
    rows = [line.split(":", 2) for line in membership.splitlines() if line.count(":") >= 2]
    groups = [(controllers, path) for _, controllers, path in rows if not controllers or "freezer" in controllers]
    return next((path for controllers, path in groups if _is_still(root, controllers, path)), None)


def _is_still(root: Path, controllers: str, path: str) -> bool:
    if controllers:
        return quiet.read_text(root / "freezer" / path.lstrip("/") / "freezer.state").strip() in ("FROZEN", "FREEZING")
    base = root / "unified" if (root / "unified").is_dir() else root
    return "frozen 1" in quiet.read_text(base / path.lstrip("/") / "cgroup.events")


def _kind(pid: int, status: dict[str, str]) -> str | None:
    state = status.get("State", "?")[0]
    if state in "tT":
        return TRACED if state == "t" else STOPPED
    return UNINTERRUPTIBLE if state == "D" and all(_is_still_waiting(pid) for _ in range(LASTING_LOOKS)) else None


def _is_still_waiting(pid: int) -> bool:
    time.sleep(APART_SECONDS)
    return _fields(quiet.read_text(f"/proc/{pid}/status")).get("State", "?")[0] == "D"


def _fields(text: str) -> dict[str, str]:
    parts = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in parts}
