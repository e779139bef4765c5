"""The five verbs on Linux and other POSIX systems.

The child cannot vanish: it is watched with waitid(2) and WNOWAIT, so its pid and its group stay valid until `reap`.
Orphans cannot vanish either: the supervisor is their subreaper (prctl(2), PR_SET_CHILD_SUBREAPER), so a grandchild that
outlives the child, in whatever session, becomes ours and is ended by `sweep`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from harness.launch.process import Child, Launch, Reaped

assert sys.platform != "win32"

import resource  # noqa: E402 - after the assertion that tells mypy where it exists

PR_SET_CHILD_SUBREAPER = 36
CAP_SYS_RESOURCE = 24
SWEEP_SECONDS = 5.0
END_SECONDS = 10.0  # what SIGKILL has not ended by then, something holds still: a frozen group, a lost device


def start(launch: Launch) -> Child:
    """Start the child as the leader of a new session, its output going straight to the record files."""
    _become_subreaper()
    before = _own_children()
    with open(launch.stdout, "ab") as stdout, open(launch.stderr, "ab") as stderr, _Stack(launch.stack_bytes):
        popen = subprocess.Popen(
            list(launch.command), env=dict(launch.environment), cwd=launch.directory,
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True,
        )  # fmt: skip
    return Child(popen.pid, popen, {"before": before})


class _Stack:
    """While entered, what is started gets a stack of this size: the limit counts as it is at execve(2)."""

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._before = resource.getrlimit(resource.RLIMIT_STACK)

    def __enter__(self) -> None:
        hard = self._before[1]
        if self._size is not None:
            most = max(self._size, hard) if hard != resource.RLIM_INFINITY and _may_lift_limits() else hard
            size = self._size if most == resource.RLIM_INFINITY else min(self._size, most)
            resource.setrlimit(resource.RLIMIT_STACK, (size, most))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_STACK, self._before)


def _may_lift_limits() -> bool:
    """Whether this process has CAP_SYS_RESOURCE (setrlimit(2)); root in a container often has not."""
    status = Path("/proc/self/status")
    rows = (line.split() for line in status.read_text().splitlines()) if status.exists() else ()
    return any(row[0] == "CapEff:" and int(row[1], 16) >> CAP_SYS_RESOURCE & 1 for row in rows if row)


def has_ended(child: Child) -> bool:
    """Whether the child has ended; leaves it unreaped, its records in /proc still readable."""
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def end(child: Child) -> None:
    """Kill the child's group; the unreaped leader keeps the group's number from being given to anybody else."""
    os.killpg(child.pid, signal.SIGKILL)


def sweep(child: Child) -> list[int]:
    """Kill and reap whatever the child has left behind, in its group or out of it; return their pids.

    Only when the child has ended are its children ours, and a large one takes its time. What cannot be ended within the
    time is in `child.extra["stuck"]`, the child itself included; nobody waits for it any longer.
    """
    end(child)
    _wait_for_end(child)
    swept: list[int] = []
    deadline = time.monotonic() + SWEEP_SECONDS
    orphans = _orphans(child)
    while orphans and time.monotonic() < deadline:
        for pid in orphans:  # our own unreaped children: their pids cannot be anybody else's
            os.kill(pid, signal.SIGKILL)
        swept += [pid for pid in orphans if _reap_quickly(pid)]
        orphans = _orphans(child)
    child.extra["stuck"] = [*([] if has_ended(child) else [child.pid]), *orphans]
    return sorted(set(swept))


def _wait_for_end(child: Child) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not has_ended(child) and time.monotonic() < deadline:
        time.sleep(0.002)


def reap(child: Child) -> Reaped | None:
    """Reap the child, once: true status, core flag, the kernel's own peak of RSS, CPU times; None: it has not ended."""
    if not has_ended(child):
        child.popen.returncode = -int(signal.SIGKILL)  # what it was sent: Popen is to wait for it no more
        return None
    _, status, usage = os.wait4(child.pid, 0)
    child.popen.returncode = os.waitstatus_to_exitcode(status)  # else Popen.wait() would say 0
    signaled = os.WIFSIGNALED(status)
    return Reaped(
        code=None if signaled else os.WEXITSTATUS(status),
        signal=os.WTERMSIG(status) if signaled else None,
        ntstatus=None,
        core=os.WCOREDUMP(status),
        max_rss_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        user_seconds=usage.ru_utime,
        system_seconds=usage.ru_stime,
    )


def _become_subreaper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _own_children() -> frozenset[int]:
    rows = psutil.process_iter(["ppid"])
    return frozenset(process.pid for process in rows if process.info["ppid"] == os.getpid())


def _orphans(child: Child) -> list[int]:
    return sorted(_own_children() - child.extra["before"] - {child.pid})


def _reap_quickly(pid: int) -> bool:
    """Reap a process that has been killed; False where it needs longer than a moment (it may be in the kernel)."""
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            return True
        time.sleep(0.002)
    return False
