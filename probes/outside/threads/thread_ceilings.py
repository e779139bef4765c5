"""What bounds the number of threads: control groups (v1 and v2), RLIMIT_NPROC, the machine; and how much is in use.

Sources: the kernel's Documentation/admin-guide/cgroup-v1/pids.rst and cgroup-v2.rst (a group's limit holds for all its
descendants, so every group up to the root is asked; `pids.events` counts the forks that it refused); setrlimit(2)
(RLIMIT_NPROC counts the threads of the real user, and does not bind root); proc_loadavg(5), proc_sys_kernel(5).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from probes.outside.probe import run_tool

ROOT = Path("/sys/fs/cgroup")
FILES = ("pids.max", "pids.current", "pids.events")
MACHINE = ("/proc/sys/kernel/threads-max", "/proc/sys/kernel/pid_max")
LOAD = Path("/proc/loadavg")
COUNT_SECONDS = 5.0
SHARE_OF_TIME = 0.005
STACK = re.compile(r"^Max stack size +(\w+)", re.MULTILINE)
PROCESSES = re.compile(r"^Max processes +(\d+)", re.MULTILINE)


def groups(membership: str, root: Path = ROOT) -> list[Path]:
    """Return the groups that may bound threads, innermost first; `membership` is the text of /proc/PID/cgroup."""
    return [group for line in membership.splitlines() if line.count(":") >= 2 for group in _groups(line, root)]


def _groups(line: str, root: Path) -> list[Path]:
    """Return the groups of one line of proc_pid_cgroup(5), hierarchy:controllers:path, up to the root."""
    _, controllers, path = line.split(":", 2)
    if controllers and "pids" not in controllers.split(","):
        return []
    unified = root / "unified" if (root / "unified").is_dir() else root
    base = root / "pids" if controllers else unified
    group = base / path.lstrip("/")
    found = (folder for folder in (group, *group.parents) if folder.is_relative_to(base))
    return [folder for folder in found if (folder / "pids.max").exists()]


def read(found: list[Path]) -> dict[str, Any]:
    """Return `pids_max` and `pids_current` of the group with the least room, its folder, and the forks refused by all.

    By a tool: a group can be removed at any time. Empty where no group bounds threads.
    """
    paths = [f"{group}/{name}" for group in found for name in FILES]
    lines = run_tool(["grep", "-Hs", ".", *paths]).stdout.splitlines() if paths else []
    texts = {path: line[len(path) + 1 :] for line in lines for path in paths if line.startswith(path + ":")}
    bounds = [
        (int(limit), int(texts.get(f"{group}/pids.current", "0")), str(group))
        for group in found
        if (limit := texts.get(f"{group}/pids.max", "max")).isdigit()
    ]
    if not bounds:
        return {}
    most, current, tightest = min(bounds, key=lambda bound: bound[0] - bound[1])
    refused = sum(int(text.split()[-1]) for path, text in texts.items() if path.endswith("events"))
    return {"pids_max": most, "pids_current": current, "pids_group": tightest, "pids_refused": refused}


class ThreadLimits:
    """Says what bounds one process' threads; who it is and what it may do is told to it by `learn`."""

    def __init__(self) -> None:
        """Read what never changes."""
        self._groups: list[Path] = []
        self._nproc: int | None = None
        self._stack: dict[str, int] = {}
        self._users: dict[str, int] = {}
        self._due = 0.0
        texts = [Path(path).read_text().strip() for path in MACHINE if os.path.exists(path)]
        self._machine = min((int(text) for text in texts if text.isdigit()), default=None)

    def learn(self, texts: Mapping[str, str]) -> None:
        """Take the process' own `cgroup` and `limits`, as /proc shows them; both can change while it runs."""
        self._groups = groups(texts.get("cgroup", "")) or self._groups
        limit = PROCESSES.search(texts.get("limits", ""))
        self._nproc = int(limit.group(1)) if limit else self._nproc
        stack = STACK.search(texts.get("limits", ""))
        if stack:
            self._stack = {"stack_limit_bytes": int(stack.group(1)) if stack.group(1).isdigit() else -1}

    def read(self, now: float) -> dict[str, Any]:
        """Return what bounds threads now, number and stack (-1: no limit); what does not bind here has no key."""
        return {**read(self._groups), **self._of_user(now), **self._of_machine(), **self._stack}

    def refused(self) -> dict[str, Any]:
        """Return the control groups' part, which outlives the process."""
        return read(self._groups)

    def _of_user(self, now: float) -> dict[str, int]:
        if self._nproc is None or os.getuid() == 0:
            return {}
        if now >= self._due:
            began = time.perf_counter()
            self._users = {"nproc_limit": self._nproc, "user_threads": _threads_of_user(os.getuid())}
            self._due = now + max(COUNT_SECONDS, (time.perf_counter() - began) / SHARE_OF_TIME)
        return self._users

    def _of_machine(self) -> dict[str, int]:
        if self._machine is None or not LOAD.exists():
            return {}
        total = LOAD.read_text().split()[3].partition("/")[2]
        return {"machine_threads": int(total), "machine_threads_max": self._machine}


def _threads_of_user(user: int) -> int:
    rows = (process.info for process in psutil.process_iter(["uids", "num_threads"]))
    return sum(row["num_threads"] or 0 for row in rows if row["uids"] and row["uids"].real == user)
