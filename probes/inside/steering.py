"""What steers this process' threads, as it really is: environment variables, torch's counts, pools at a fork.

The variables are read as Python knows them: what a native library sets by setenv(3) alone does not show.
"""

from __future__ import annotations

import os
import sys
import threading
import types
from typing import Optional

from .lines import Lines

PREFIXES = (  # the same in harness/launch/environment_record.py, which shares no code with us; a test holds it
    "OMP_", "KMP_", "MKL_", "OPENBLAS_", "GOMP_", "TBB_", "NUMEXPR_", "VECLIB_",
    "ATEN_", "ONEDNN_", "DNNL_", "TORCH_", "PYTORCH_", "MALLOC_", "LD_",
)  # fmt: skip
STATUS = "/proc/self/status"
MAPS = "/proc/self/maps"
TASKS = "/proc/self/task"
MOST_FORKS = 2000  # a program that forks without end must not fill the disk


def write(torch: types.ModuleType, inside: Lines, at: str) -> None:
    """Record the variables in force, torch's own thread counts, and the threads that there are; `at`: when this is.

    Once at torch's import and once at the first forward: the program and its imports may change any of it in between.
    """
    inside.write(
        event="environment", at=at,
        variables={name: value for name, value in sorted(os.environ.items()) if name.startswith(PREFIXES)},
        threads=torch.get_num_threads(), interop_threads=torch.get_num_interop_threads(),
        python_stack_bytes=_python_stack(), **counts(),
    )  # fmt: skip


def _python_stack() -> int:
    """Return the size of the stacks of Python's threads; asked for without one, the call also sets it to 0."""
    size = threading.stack_size()
    threading.stack_size(size)
    return size


def counts() -> dict:
    """Return how many threads the kernel counts here (None where it has no /proc), and how many of them are Python's.

    The second without the lock that `threading.active_count` takes: a fork may come from within it.
    """
    python: dict = getattr(threading, "_active")  # noqa: B009 - not in the stubs
    return {"native_threads": native_threads(), "python_threads": len(python)}


def native_threads() -> Optional[int]:
    """Return the kernel's count of this process' threads (proc_pid_status(5)); None where there is no /proc."""
    if not os.path.exists(STATUS):
        return None
    with open(STATUS, encoding="utf-8", errors="replace") as stream:
        return next((int(line.split()[1]) for line in stream if line.startswith("Threads:")), None)


def gomp_threads() -> dict:
    """Return how many threads wait inside libgomp, and how many run (which may be its own: they spin before they wait).

    A pool of another make looks the same but for where it waits: libgomp's workers make their futex(2) call in libgomp
    itself, so the program counter that proc_pid_syscall(5) shows lies in its code. {} where that cannot be asked.
    """
    code = _code_of("libgomp") if os.path.exists("/proc/self/syscall") else []
    if not code:
        return {}
    paths = [os.path.join(TASKS, name, "syscall") for name in os.listdir(TASKS)]
    words = [_first_line(path).split() for path in paths if os.access(path, os.R_OK)]
    counters = [int(row[-1], 16) for row in words if len(row) > 1]
    waiting = sum(any(low <= counter < high for low, high in code) for counter in counters)
    return {"gomp_waiting": waiting, "running": words.count(["running"])}


def _code_of(library: str) -> list:
    """Return the address ranges (low, high) of a library's code, from proc_pid_maps(5)."""
    with open(MAPS, encoding="utf-8", errors="replace") as stream:
        ranges = [line.split()[0].split("-") for line in stream if library in line and " r-xp " in line]
    return [(int(low, 16), int(high, 16)) for low, high in ranges]


def _first_line(path: str) -> str:
    with open(path, encoding="utf-8") as stream:
        return stream.readline()


class Forks:
    """Records each fork, in the parent, just before it: threads do not live on in the child, their locks do."""

    def __init__(self, inside: Lines) -> None:
        """Take the parent's record."""
        self._inside = inside
        self._left = MOST_FORKS

    def note(self) -> None:
        """Record the threads that there are, and torch's view where it is imported (whole, or still in part)."""
        if self._left <= 0:
            return
        self._left -= 1
        torch = sys.modules.get("torch")
        count = getattr(torch, "get_num_threads", None)
        self._inside.write(
            event="fork", torch=torch is not None, threads=count() if count else None,
            thread=threading.get_native_id(), **counts(), **gomp_threads(),
        )  # fmt: skip
