"""Finds a process that is held by libc's own pause(2), where the system executes no memory of ours: no page tells then.

What faulthandler wrote says that there was a fault and of which kind; the thread that waits in pause(2) is the faulting
one. Registers and address cannot be had. Source: proc_pid_syscall(5); on aarch64 pause is ppoll without arguments.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from probes.outside.crash.fault_page import HELD, FaultSlot, Registers
from probes.outside.probe import run_tool

SIGNALS = {
    "Segmentation fault": 11, "Aborted": 6, "Floating-point exception": 8, "Bus error": 7, "Illegal instruction": 4,
}  # fmt: skip
KIND = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)
PAUSED = re.compile(r"^/proc/\d+/task/(\d+)/syscall:(?:34|73 0x0 0x0 0x0 0x0) ", re.MULTILINE)
UNKNOWN = Registers({}, 0, 0, 0)


def find(pid: int, log: Path) -> FaultSlot | None:
    """Return the fault that holds a process, or None where its fault.log is empty or no thread is paused."""
    if not log.exists() or log.stat().st_size == 0:
        return None
    kinds = KIND.findall(log.read_text(encoding="utf-8", errors="replace"))
    paused = PAUSED.findall(run_tool(["sh", "-c", f"grep -aH . /proc/{pid}/task/*/syscall"]).stdout)
    if not kinds or not paused:
        return None
    age = max(0.0, time.time() - log.stat().st_mtime)
    t = time.perf_counter() - age
    return FaultSlot(HELD, int(paused[0]), pid, SIGNALS.get(kinds[-1], 0), 0, None, t, UNKNOWN)
