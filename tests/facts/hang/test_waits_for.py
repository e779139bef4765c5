"""What a thread waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.facts.hang.waits_for import Wait, Waits, wait_of
from probes.outside.threads import thread_states
from probes.outside.threads.system_calls import AARCH64, X86_64
from probes.outside.threads.thread_states import KernelThread

THREADS = """/proc/7/task/7/comm:python
/proc/7/task/8/comm:a (strange) name:x
/proc/7/task/7/stat:7 (python) S 1 7 7 0 -1 4194304 1075 0 0 0 21 4 0 0 20 0 3 0 296745
/proc/7/task/8/stat:8 (a (strange) name:x) R 1 7 7 0 -1 4194304 1075 0 0 0 100 1 0 0 20 0 3 0 296745
/proc/7/task/7/syscall:202 0x7f3948000b70 0x189 0x0 0x0 0x0 0xffffffff 0x7ffc353f4e50 0x7f394fa3ff16
/proc/7/task/8/syscall:running
/proc/7/task/7/wchan:futex_do_wait
/proc/7/task/8/wchan:0
"""


class TestKernelThreads:
    """threads.txt."""

    def test_reads_every_thread(self, tmp_path: Path) -> None:
        """Names with blanks and parentheses, a running thread, and the line of each thing."""
        (tmp_path / "threads.txt").write_text(THREADS)
        arguments = (0x7F3948000B70, 0x189, 0, 0, 0, 0xFFFFFFFF)
        assert thread_states.read(tmp_path / "threads.txt") == {
            7: KernelThread(
                7, "python", "S", 25, 202, arguments, "futex_do_wait", {"comm": 1, "stat": 3, "syscall": 5, "wchan": 7}
            ),
            8: KernelThread(
                8, "a (strange) name:x", "R", 101, None, (), "", {"comm": 2, "stat": 4, "syscall": 6, "wchan": 8}
            ),
        }

    def test_of_a_missing_file(self, tmp_path: Path) -> None:
        """No threads, no error."""
        assert thread_states.read(tmp_path / "threads.txt") == {}


def thread(syscall: int | None, *arguments: int, state: str = "S", wchan: str = "") -> KernelThread:
    """Return a thread that sits in a system call."""
    return KernelThread(1, state=state, syscall=syscall, arguments=arguments, wchan=wchan)


X86_CASES = [
    (thread(202, 1, 0x189, 0, 0), Wait(Waits.LOCK, "futex")),
    (thread(202, 1, 0x189, 0, 0x7F00), Wait(Waits.LOCK, "futex", timed=True)),
    (thread(0, 3, 1, 1), Wait(Waits.IO, "read", 3)),
    (thread(45, 12), Wait(Waits.IO, "recvfrom", 12)),
    (thread(7, 0x7F00, 2, 5000), Wait(Waits.IO, "poll")),
    (thread(7, 0x7F00, 0, 5000), Wait(Waits.SLEEP, "poll")),
    (thread(23, 0, 0, 0, 0), Wait(Waits.SLEEP, "select")),
    (thread(257, 0xFFFFFF9C, 0x7F00), Wait(Waits.IO, "openat")),
    (thread(230, 1), Wait(Waits.SLEEP, "clock_nanosleep")),
    (thread(61, 5), Wait(Waits.CHILD, "wait4")),
    (thread(0, 3, state="D"), Wait(Waits.DISK, "read")),
    (thread(None, state="R"), Wait(Waits.NOT)),
    (thread(219, 0, wchan="hrtimer_nanosleep"), Wait(Waits.SLEEP, "hrtimer_nanosleep")),
    (thread(None, wchan="anon_pipe_read"), Wait(Waits.IO, "anon_pipe_read")),
    (thread(None, wchan="futex_do_wait"), Wait(Waits.LOCK, "futex_do_wait")),
    (thread(None), Wait(Waits.UNKNOWN)),
    (thread(9999), Wait(Waits.UNKNOWN)),
]


@pytest.mark.parametrize(("given", "wait"), X86_CASES)
def test_by_call_then_by_channel(given: KernelThread, wait: Wait) -> None:
    """The system call tells, then the wait channel; where neither does, it is not known."""
    assert wait_of(given, "x86_64") == wait


def test_numbers_are_each_machines_own() -> None:
    """The same call has another number on another machine; on a machine without a table the channel alone tells."""
    assert wait_of(thread(98, 1, 0x189, 0, 0), "aarch64") == Wait(Waits.LOCK, "futex")
    assert wait_of(thread(202, 3), "aarch64") == Wait(Waits.IO, "accept", 3)
    assert wait_of(thread(202, 3, wchan="do_wait"), "riscv64") == Wait(Waits.CHILD, "do_wait")
    assert {"futex", "read", "clock_nanosleep", "wait4"} <= set(X86_64.values()) & set(AARCH64.values())
