"""Opens the heap's lock where a crash handler waits for it without an end, so that it can write the stacks after all.

glibc aborts on a damaged heap while it holds that heap's lock; torch's handler then asks for memory, and waits for
itself, for ever. The process is dying and nothing of it will run again but handlers, so the lock is set to free from
outside, and a signal with an empty handler has the waiting thread look again. Only the locks of malloc's arenas are
opened: the main one lies in libc's data, any other at the start of a heap of 64 MiB.

Sources: malloc/arena.c and sysdeps/nptl/lowlevellock.h of glibc (0 free, 1 taken, 2 taken with waiters), futex(2).
"""

from __future__ import annotations

import os
import re

from probes.outside.crash import held_process
from probes.outside.crash.fault_page import FaultPage
from probes.outside.probe import run_tool

FUTEX = {"x86_64": "202", "aarch64": "98"}
HEAP_BYTES, HEAP_HEAD_BYTES = 64 << 20, 256
# FUTEX_WAIT | FUTEX_PRIVATE_FLAG on a word that is 2, without an end: __lll_lock_wait_private
WAITING = re.compile(r"^/proc/\d+/task/(\d+)/syscall:(\d+) 0x([0-9a-f]+) 0x80 0x2 0x0 ", re.MULTILINE)
LIBC = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) .*/libc[-.][^/]*$", re.MULTILINE)
Waiting = dict[int, int]  # thread -> the lock that it waits for


def waiting(pid: int) -> Waiting:
    """Return which threads of a process wait for the lock of a heap."""
    rows = run_tool(["sh", "-c", f"grep -aH . /proc/{pid}/task/*/syscall"]).stdout
    found = [(int(tid), int(word, 16)) for tid, call, word in WAITING.findall(rows) if call == _futex()]
    maps = run_tool(["cat", f"/proc/{pid}/maps"]).stdout if found else ""
    return {tid: word for tid, word in found if is_arena(word, maps)}


def is_arena(word: int, maps: str) -> bool:
    """Whether a lock is that of a malloc arena."""
    in_libc = any(int(low, 16) <= word < int(high, 16) for low, high in LIBC.findall(maps))
    return in_libc or word % HEAP_BYTES < HEAP_HEAD_BYTES


def force_open(page: FaultPage, pid: int, threads: Waiting) -> bool:
    """Set their locks to free and wake the threads; whether the process' memory could be written."""
    written = [held_process.write_memory(pid, lock, bytes(4)) for lock in set(threads.values())]
    return any(written) and all([held_process.signal_thread(pid, tid, page.release_signal) for tid in threads])


def _futex() -> str:
    return FUTEX.get(os.uname().machine, "")
