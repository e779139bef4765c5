"""One look at every process of a trial from outside, which disturbs none of them: what each thread waits for.

No process is stopped and nothing of one is opened here: tools read /proc, since a process may vanish at any instant.
still.jsonl lists the looks; native/tree-N holds each.
"""

from __future__ import annotations

import os
import platform
import struct
import time
from pathlib import Path
from typing import Any

import psutil

from probes import records
from probes.outside.crash import held_process as signals
from probes.outside.memory.tree_samples import descendants
from probes.outside.probe import Watched, run_tool
from probes.outside.threads import thread_states as kernel_threads
from probes.outside.threads.system_calls import NAMES
from probes.outside.threads.thread_states import KernelThread

TOOL_SECONDS = 4.0
MOST_PROCESSES = 64
MOST_POLLED = 256
MOST_WORDS = 400
STATUS = "^(State|TracerPid|SigCgt|voluntary_ctxt_switches|nonvoluntary_ctxt_switches):"
POLL_ENTRY = struct.Struct("<ihh")  # struct pollfd of poll(2)
PRIVATE_FUTEX = 128


def take(watched: Watched) -> None:
    """Take one look; whether all of it could be had stands in its row (`complete`)."""
    number = len(records.read_lines(watched.folder / records.STILL).rows) + 1
    folder = watched.folder / records.NATIVE / f"tree-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    processes = _members(watched.pid)
    pids = [row["pid"] for row in processes[:MOST_PROCESSES]]
    read = _run(folder / "threads.txt", _threads(pids)) and _run(folder / "descriptors.txt", _descriptors(pids))
    threads = kernel_threads.read(folder / "threads.txt")
    read = _run(folder / "locks.txt", "cat /proc/locks") and _run(folder / "holders.txt", _holders(folder)) and read
    if any(_is_shared(thread) for thread in threads.values()):
        read = _run(folder / "shared.txt", "grep -aHE '^[0-9a-f]+-[0-9a-f]+ [r-][w-][x-]s ' /proc/[0-9]*/maps") and read
    records.append(watched.folder / records.STILL, {
        "event": "look", "number": number, "t": began, "folder": f"{records.NATIVE}/tree-{number}", "pid": watched.pid,
        "processes": processes, "complete": read and len(processes) <= MOST_PROCESSES, "polled": _polled(threads),
        "machine": platform.machine(), "seconds": round(time.perf_counter() - began, 4),
    })  # fmt: skip


def _members(root: int) -> list[dict[str, Any]]:
    """Return the process, its descendants, and what was orphaned of them: of that the supervisor is the subreaper."""
    rows = {process.pid: process.info for process in psutil.process_iter(["ppid", "cmdline", "create_time"])}
    if root not in rows:
        return []
    ours = [pid for pid, row in rows.items() if row["ppid"] == os.getpid() and pid != root]
    orphans = [pid for pid in ours if (rows[pid]["create_time"] or 0.0) >= rows[root]["create_time"]]
    pids = [member.pid for top in (root, *orphans) for member in descendants(top)]
    return [
        {"pid": pid, "parent": rows[pid]["ppid"], "command": " ".join(rows[pid]["cmdline"] or ())[:MOST_WORDS]}
        for pid in dict.fromkeys(pids)
        if pid in rows
    ]


def _threads(pids: list[int]) -> str:
    """One line a thread and file, as grep(1) prints them; of status only what tells whether anything moved."""
    whole = " ".join(f"/proc/{pid}/task/*/{name}" for pid in pids for name in ("comm", "stat", "syscall", "wchan"))
    status = " ".join(f"/proc/{pid}/task/*/status" for pid in pids)
    return f"grep -aH . {whole}; grep -aHE '{STATUS}' {status}"


def _descriptors(pids: list[int]) -> str:
    """Of the tree every descriptor; of all other processes, who holds an end of a pipe: `lr-x------ /proc/7/fd/3 ...`.

    A link's permissions tell which end it is.
    """
    own = " ".join(f"/proc/{pid}/fd" for pid in pids)
    how = "-printf '%M %h/%f %l\\n'"
    return f"find {own} -maxdepth 1 -type l {how}; find /proc/[0-9]*/fd -maxdepth 1 -lname 'pipe:*' {how}"


def _holders(folder: Path) -> str:
    """The state of whoever holds a file's lock that somebody waits for: rows with an arrow, and those before them."""
    lines = [line.split() for line in (folder / "locks.txt").read_text(encoding="utf-8").splitlines()]
    awaited = {words[0] for words in lines if words[1:2] == ["->"]}
    pids = {words[4] for words in lines if words[0] in awaited and words[1] != "->" and words[4].isdigit()}
    paths = " ".join(f"/proc/{pid}/task/*/{name}" for pid in sorted(pids) for name in ("comm", "stat"))
    return f"grep -aH . {paths}" if paths else "true"


def _run(path: Path, command: str) -> bool:
    """Write what a command prints; False where it took too long. What vanishes meanwhile is left out, and no error."""
    result = run_tool(["sh", "-c", f"{{ {command}; }} 2>/dev/null; true"], TOOL_SECONDS)
    path.write_text(result.stdout, encoding="utf-8", errors="replace")
    return result.code == 0


def _call(thread: KernelThread) -> str:
    return NAMES.get(platform.machine(), {}).get(-1 if thread.syscall is None else thread.syscall, "")


def _is_shared(thread: KernelThread) -> bool:
    """Whether it waits at a futex that another process could wake as well."""
    return _call(thread) == "futex" and not (thread.arguments[1:2] or (PRIVATE_FUTEX,))[0] & PRIVATE_FUTEX


def _polled(threads: dict[int, KernelThread]) -> dict[str, list[int]]:
    """Return, for each thread in poll(2), the descriptors that it waits for; none for one whose memory is closed."""
    found = {}
    for thread in threads.values():
        if _call(thread) in ("poll", "ppoll") and 0 < thread.arguments[1] <= MOST_POLLED:
            size = thread.arguments[1] * POLL_ENTRY.size
            array = signals.read_memory(thread.process, thread.arguments[0], size)
            whole = len(array) == size
            found[str(thread.id)] = [row[0] for row in POLL_ENTRY.iter_unpack(array) if row[0] >= 0] if whole else []
    return found
