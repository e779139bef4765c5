"""Each thread's name and CPU time, and what bounds their number, once a second, into threads.jsonl.

Names, groups and limits are read anew when there are threads without a name yet, and every few seconds: a thread can be
given its name late, a process can be moved to another group.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import psutil

from probes.outside.probe import Probe, Watched, run_tool
from probes.outside.threads.thread_ceilings import ThreadLimits
from probes.records import THREADS, Appender

NAMES_SECONDS = 5.0
MOST_NAMES = 2000  # a command line has an end


class ThreadsProbe(Probe):
    """Samples CPU time per thread: who works, who waits, who spins; and how many more there may be."""

    name = "threads"

    def __init__(self, watched: Watched) -> None:
        """Open the record file."""
        super().__init__(watched)
        self._read = _reader(watched.pid)
        self._identity = Identity(watched.pid)
        self._file = Appender(watched.folder / THREADS)

    def sample(self, now: float) -> None:
        """Append one line: every thread's id, name, user and system seconds; limits and their use."""
        times = self._read()
        if times:
            names = self._identity.names([thread for thread, _, _ in times], now)
            rows = [
                {"id": thread, **({"name": names[thread]} if thread in names else {}),
                 "user_seconds": user, "system_seconds": system}
                for thread, user, system in times
            ]  # fmt: skip
            limits = self._identity.limits.read(now)
            self._file.write({"t": round(now, 4), "count": len(rows), **limits, "threads": rows})

    def before_end(self, reason: str) -> bool:
        """Take a last sample."""
        self.sample(time.perf_counter())
        return False

    def close(self) -> None:
        """Append how many threads the groups have refused by now, which outlives the process; close the record."""
        left = self._identity.limits.refused()
        if left:
            self._file.write({"t": round(time.perf_counter(), 4), "ended": True, **left})
        self._file.close()


class Identity:
    """What the threads are called, and what the process may do, from /proc, where there is one.

    Source: proc_pid_comm(5), proc_pid_cgroup(5), proc_pid_limits(5); read by one tool, as any of them can vanish.
    """

    def __init__(self, pid: int) -> None:
        """Know nothing yet."""
        self.limits = ThreadLimits()
        self._home = f"/proc/{pid}"
        self._names: dict[int, str] = {}
        self._due = 0.0

    def names(self, threads: list[int], now: float) -> dict[int, str]:
        """Return thread -> name; a thread that was gone before it could be asked has none."""
        if sys.platform == "linux":
            due = now >= self._due
            wanted = threads if due else [thread for thread in threads if thread not in self._names]
            self._due = now + NAMES_SECONDS if due else self._due
            self._ask(wanted[:MOST_NAMES])
        return self._names

    def _ask(self, threads: list[int]) -> None:
        if not threads:
            return
        paths = [f"{self._home}/{name}" for name in ("cgroup", "limits", *(f"task/{id}/comm" for id in threads))]
        texts: dict[str, str] = {}
        for line in run_tool(["grep", "-Hs", ".", *paths]).stdout.splitlines():
            path, _, text = line.partition(":")
            name = path[len(self._home) + 1 :]
            texts[name] = texts.get(name, "") + text + "\n"
        self._names |= {int(name.split("/")[1]): text.rstrip("\n") for name, text in texts.items() if "/" in name}
        self.limits.learn(texts)


def _reader(pid: int) -> Callable[[], list[tuple[int, float, float]]]:
    if sys.platform == "win32":  # not psutil: it raises once the process has ended
        from probes.outside.machine import win32

        return win32.Process(pid).threads
    process = psutil.Process(pid)
    return lambda: [tuple(thread) for thread in process.as_dict(["threads"], ad_value=None)["threads"] or []]
