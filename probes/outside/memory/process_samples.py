"""Memory and threads of the observed process, every few milliseconds, into memory.jsonl.

Source: proc_pid_stat(5) and meminfo in proc(5). The process' own `stat` file is kept open: of a process that is not yet
reaped it can always be read, and of a dead one it reads as zeros.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import psutil

from probes.outside.probe import Probe, Watched
from probes.records import MEMORY, Appender


class MemoryProbe(Probe):
    """Samples RSS, VMS, thread count and CPU time of the one process, at the fastest pace."""

    name = "memory"

    def __init__(self, watched: Watched) -> None:
        """Open the process' accounts and the record file."""
        super().__init__(watched)
        self.interval_seconds = watched.interval_seconds
        self._read = reader(watched.pid)
        self._file = Appender(watched.folder / MEMORY)
        self.rss_bytes = 0
        self.threads = 0

    def sample(self, now: float) -> None:
        """Append one line; a process that has just died gives none."""
        rss, vms, threads, cpu, children = self._read()
        if rss:
            self.rss_bytes, self.threads = rss, threads
            self._file.write_text(
                f'{{"t":{now:.4f},"rss_bytes":{rss},"vms_bytes":{vms},"threads":{threads},"cpu_seconds":{cpu:.2f},'
                f'"children":{children}}}\n'
            )

    def close(self) -> None:
        """Close the record."""
        self._file.close()


# rss bytes, vms bytes, threads, cpu seconds, children of the main thread (of the others: tree_samples.py)
Reading = tuple[int, int, int, float, int]


def reader(pid: int) -> Callable[[], Reading]:
    """Return a function that reads one process' accounts, cheaply; of a dead process it gives zeros."""
    if sys.platform == "linux":
        return _proc_reader(pid)
    if sys.platform == "win32":  # not psutil: it raises once the process has ended, between any two of its calls
        from probes.outside.machine import win32

        process = win32.Process(pid)
        return lambda: (*process.memory(), len(process.thread_ids()), process.cpu_seconds(), 0)
    return _psutil_reader(pid)


if sys.platform == "linux":

    class _proc_reader:  # noqa: N801 - a function with an open file
        """Reads /proc/PID/stat and the list of children, each through one descriptor (see proc_pid_task(5))."""

        def __init__(self, pid: int) -> None:
            self._descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            children = f"/proc/{pid}/task/{pid}/children"  # absent where the kernel has no CONFIG_PROC_CHILDREN
            self._children = os.open(children if os.path.exists(children) else os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            self._page = os.sysconf("SC_PAGE_SIZE")
            self._tick = os.sysconf("SC_CLK_TCK")

        def __call__(self) -> Reading:
            fields = os.pread(self._descriptor, 1024, 0).rpartition(b") ")[2].split()  # the name may hold spaces
            user, system, threads = int(fields[11]), int(fields[12]), int(fields[17])
            children = len(os.pread(self._children, 65536, 0).split())
            return int(fields[21]) * self._page, int(fields[20]), threads, (user + system) / self._tick, children

        def __del__(self) -> None:
            os.close(self._descriptor)
            os.close(self._children)


class _psutil_reader:  # noqa: N801 - a function with a handle
    """Reads through psutil, where there is no /proc; a process that cannot be read gives zeros."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def __call__(self) -> Reading:
        if not self._process.is_running():
            return 0, 0, 0, 0.0, 0
        read = self._process.as_dict(["memory_info", "num_threads", "cpu_times"], ad_value=None)
        memory, times = read["memory_info"], read["cpu_times"]
        cpu = times.user + times.system if times else 0.0
        return (memory.rss, memory.vms, read["num_threads"] or 0, cpu, 0) if memory else (0, 0, 0, 0.0, 0)
