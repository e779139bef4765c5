"""Reads threads.txt: what the kernel said of each thread of one process, as `grep -aH .` printed it.

Sources: proc_pid_stat(5) for the state and the CPU time, proc_pid_syscall(5), and wchan in proc(5).
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

LINE = re.compile(r"^/proc/(?P<pid>\d+)/task/(?P<thread>\d+)/(?P<file>\w+):(?P<text>.*)$")


@dataclasses.dataclass
class KernelThread:
    """One thread at one instant; `ticks` is its CPU time in clock ticks, `lines` say where in threads.txt it stands.

    `syscall` is None where the thread was running or the kernel would not say; its arguments are raw registers. What
    stands in status: `switches` (context switches of both kinds), `caught` (signals with a handler, as a mask), and
    `tracer` (0: none); only where it was copied.
    """

    id: int
    name: str = ""
    state: str = "?"
    ticks: int = 0
    syscall: int | None = None
    arguments: tuple[int, ...] = ()
    wchan: str = ""
    lines: dict[str, int] = dataclasses.field(default_factory=dict)
    process: int = dataclasses.field(default=0, compare=False)
    switches: int = dataclasses.field(default=0, compare=False)
    caught: int = dataclasses.field(default=0, compare=False)
    tracer: int = dataclasses.field(default=0, compare=False)


def read(path: Path) -> dict[int, KernelThread]:
    """Return the threads that a threads.txt names, by their ids; none where the file is missing."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    threads: dict[int, KernelThread] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = LINE.match(line)
        if match:
            thread = threads.setdefault(int(match["thread"]), KernelThread(int(match["thread"])))
            thread.process = int(match["pid"])
            thread.lines.setdefault(match["file"], number)
            _take(thread, match["file"], match["text"])
    return threads


def _take(thread: KernelThread, file: str, text: str) -> None:
    if file == "comm":
        thread.name = text
    elif file == "wchan":
        thread.wchan = text if text != "0" else ""
    elif file == "stat":
        fields = text.rpartition(") ")[2].split()  # the name before it may hold spaces and parentheses
        thread.state, thread.ticks = fields[0], int(fields[11]) + int(fields[12])
    elif file == "syscall" and text[:1].isdigit():
        number, *arguments = text.split()
        thread.syscall, thread.arguments = int(number), tuple(int(word, 16) for word in arguments[:6])
    elif file == "status":
        _take_status(thread, *text.split(":", 1))


def _take_status(thread: KernelThread, key: str, value: str = "") -> None:
    if key.endswith("voluntary_ctxt_switches"):  # also "nonvoluntary_..."
        thread.switches += int(value)
    elif key == "SigCgt":
        thread.caught = int(value, 16)
    elif key == "TracerPid":
        thread.tracer = int(value)
