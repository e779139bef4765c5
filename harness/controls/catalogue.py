"""The planted faults and the healthy programs: one line each."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from harness.launch import memory_limit

PROGRAMS = Path(__file__).resolve().parent / "programs"
TORCH_GOMP = Path("lib", "libgomp.so.1")
X86 = ("x86_64", "amd64")
Needs = Callable[[], str | None]


def anywhere() -> str | None:
    """Return that it can: plain Python is the same everywhere."""
    return None


def on_linux() -> str | None:
    """Return why a program that needs Linux cannot run here."""
    return None if platform.system() == "Linux" else "is a fault of Linux"


def cgroup() -> str | None:
    """Return why no memory group can be made here."""
    kind = memory_limit.kind_here() if on_linux() is None else None
    return None if kind and kind.startswith("cgroup") else "no control group with a memory limit can be made here"


def torch() -> str | None:
    """Return why torch cannot be run here; it is not imported to tell."""
    return on_linux() or (None if importlib.util.find_spec("torch") else "torch is not installed")


def root() -> str | None:
    """Return why no mount namespace can be made here."""
    return on_linux() or (None if os.geteuid() == 0 else "only the administrator may mount")


def pillow() -> str | None:
    """Return why no image can be read here."""
    return None if importlib.util.find_spec("PIL") else "pillow is not installed"


def x86() -> str | None:
    """Return why this processor does not trap."""
    is_x86 = platform.machine().lower() in X86
    return on_linux() or (None if is_x86 else "a division does not trap on this processor")


def known_code() -> str | None:
    """Return why there is no machine code for this processor."""
    return on_linux() or (None if platform.machine() in ("x86_64", "aarch64") else "no machine code for this processor")


def gomp() -> str | None:
    """Return why torch's own OpenMP runtime cannot be loaded twice."""
    spec = importlib.util.find_spec("torch") if on_linux() is None else None
    found = spec is not None and spec.origin is not None and (Path(spec.origin).parent / TORCH_GOMP).exists()
    return None if found else "torch with a libgomp of its own is not installed"


def small_pool() -> str | None:
    """Return why no pool can be given small stacks: it takes a libgomp and machine code."""
    return x86() or gomp()


def intel_openmp() -> Path:
    """Return where packages put Intel's OpenMP runtime."""
    return Path(sys.prefix, "lib", "libiomp5.so")


def intel() -> str | None:
    """Return why Intel's OpenMP runtime cannot be loaded."""
    return on_linux() or (None if intel_openmp().exists() else "there is no libiomp5.so (package intel-openmp)")


def full_device() -> str | None:
    """Return why nothing is always full here."""
    return None if os.path.exists("/dev/full") else "there is no /dev/full"


@dataclasses.dataclass(frozen=True)
class Planted:
    """One control. `expected`: the family that must be named, None where the program is healthy.

    `also`: families that are true of it as well, e.g. the hang that a threading fault ends in. `arguments`: `{trial}`
    is the trial's folder. `threads`: the factor's two values. `killer`: the signal that a process outside sends.
    `memory_bytes`: the limit the program is put under. `still_seconds`: how long it may stand still. `quick`: among the
    few that every inquest runs, with `quick_trials` trials. `tries`: trials in which it may fail for the first time.
    `alone`: disturbed by another one beside it.
    """

    id: str
    expected: str | None
    program: str
    arguments: tuple[str, ...] = ()
    needs: Needs = on_linux
    also: tuple[str, ...] = ()
    threads: int | None = None
    killer: str | None = None
    memory_bytes: int | None = None
    still_seconds: float | None = None
    quick: bool = False
    quick_trials: int = 1
    tries: int = 1
    alone: bool = False


MEMORY, THREADING, NATIVE, STACK = "memory-exhaustion", "threading-fault", "native-fault", "stack-overflow"
ILLEGAL, KILLED, EXIT, EXCEPTION = "illegal-instruction", "external-kill", "deliberate-exit", "python-exception"
HANG, IO, LIMIT = "hang", "io-fault", "resource-limit"
MIB = 1 << 20
PID = ("{trial}/pid",)
COPY = ("{trial}/libgomp-second.so.1",)

CATALOGUE = (
    Planted("oom-kill", MEMORY, "oom_kill", needs=cgroup, memory_bytes=160 * MIB, quick=True),
    Planted("rlimit-memory", MEMORY, "rlimit_memory", also=(EXCEPTION,), quick=True),
    Planted("host-memory", MEMORY, "host_memory", needs=cgroup, memory_bytes=256 * MIB),
    Planted("malloc-unchecked", MEMORY, "malloc_unchecked"),
    Planted("slow-leak", MEMORY, "slow_leak", also=(EXCEPTION,), memory_bytes=192 * MIB),
    Planted("oom-worker", MEMORY, "oom_worker", needs=cgroup, also=(EXCEPTION,), memory_bytes=224 * MIB),
    Planted("allocator-abort", MEMORY, "allocator_abort"),
    Planted("segv-main", NATIVE, "segv_main", quick=True),
    Planted("segv-thread", NATIVE, "segv_thread", threads=4),
    Planted("segv-openmp", NATIVE, "segv_openmp", needs=torch, threads=4),
    Planted("variable-fault", NATIVE, "variable_fault", needs=torch, threads=2),
    Planted("abort", NATIVE, "abort_native"),
    Planted("double-free", NATIVE, "double_free"),
    Planted("stack-main", STACK, "deep_recursion", quick=True),
    Planted("stack-thread", STACK, "deep_recursion", ("thread",)),
    Planted("stack-pool", STACK, "small_stacks", ("pool",), needs=small_pool),
    Planted("stack-small", STACK, "small_stacks", ("thread",), needs=x86),
    Planted("divide", NATIVE, "divide", needs=x86),
    Planted("illegal", ILLEGAL, "illegal", needs=known_code, quick=True),
    Planted("cut-file", IO, "cut_file", ("{trial}/samples",)),
    Planted("sigkill", KILLED, "work", PID, killer="SIGKILL", quick=True),
    Planted("sigterm", KILLED, "work", PID, killer="SIGTERM"),
    Planted("sighup", KILLED, "work", PID, killer="SIGHUP"),
    Planted("os-exit", EXIT, "os_exit", needs=anywhere, quick=True),
    Planted("thread-exit", EXIT, "thread_exit", needs=anywhere),
    Planted("exception", EXCEPTION, "exception", needs=anywhere, quick=True),
    Planted("thread-exception", EXCEPTION, "thread_exception", needs=anywhere),
    Planted("lock-order", HANG, "lock_order", also=(THREADING,), still_seconds=1.5, quick=True),
    Planted("native-loop", HANG, "native_loop", still_seconds=1.5),
    Planted("livelock", HANG, "livelock", also=(THREADING,), still_seconds=1.5),
    Planted("fork-openmp", HANG, "fork_openmp", needs=torch, also=(THREADING,), threads=4, still_seconds=4.0),
    Planted("race", THREADING, "race", ("12000",), threads=4, quick=True, quick_trials=14, alone=True),
    Planted("race-rare", THREADING, "race", ("25",), threads=4, tries=12, alone=True),
    Planted("two-openmp", LIMIT, "two_openmp", COPY, needs=gomp, also=(EXIT, THREADING), threads=4),
    Planted("two-intel", THREADING, "two_intel", (str(intel_openmp()), "{trial}/libiomp5-second.so"), needs=intel),
    Planted("python-race", THREADING, "python_race"),
    Planted("disk-full", IO, "disk_full", needs=full_device, also=(EXCEPTION,), quick=True),
    Planted("disk-full-abort", IO, "disk_full_abort", needs=torch),
    Planted("cpu-limit", LIMIT, "cpu_limit"),
    Planted("file-limit", LIMIT, "file_limit", ("{trial}/checkpoint",), also=(EXCEPTION,)),
    Planted("thread-refused", LIMIT, "thread_refused", also=(EXCEPTION,), threads=4),
    Planted("threads-openmp", LIMIT, "threads_openmp", needs=torch),
    Planted("file-leak", LIMIT, "file_leak", also=(EXCEPTION,), quick=True),
    Planted("map-count", LIMIT, "map_count", also=(EXCEPTION,)),
    Planted("shared-full", LIMIT, "shared_full", needs=root),
    Planted("truncated-image", IO, "truncated_image", ("{trial}/photo.jpg",), needs=pillow, also=(EXCEPTION,)),
    Planted("worker-killed", KILLED, "worker_killed", PID, torch, (EXCEPTION,), killer="SIGKILL"),
    Planted("worker-exception", EXCEPTION, "worker_exception", needs=anywhere),
    Planted("tool-killed", KILLED, "tool_killed", PID, also=(EXCEPTION,), killer="SIGKILL"),
    Planted("pool-native-fault", NATIVE, "pool_native_fault", also=(EXCEPTION,), threads=4),
    Planted("native-exit-in-pool", EXIT, "native_exit_in_pool", also=(EXCEPTION,), threads=4),
    Planted("orderly-sigterm", KILLED, "orderly_sigterm", PID, killer="SIGTERM"),
    Planted("sigusr1", KILLED, "work", PID, killer="SIGUSR1"),
    Planted("exit-in-training", EXIT, "exit_in_training", needs=torch),
    Planted("healthy-exec", None, "exec_healthy", needs=on_linux),
    Planted("healthy-memory", None, "big_memory", needs=anywhere),
    Planted("healthy-threads", None, "many_threads", needs=anywhere),
    Planted("healthy-start", None, "slow_start", needs=anywhere),
    Planted("healthy-exit", None, "exit_zero", needs=anywhere, quick=True),
)  # fmt: skip


def by_id(identity: str) -> Planted | None:
    """Return the control of that id, or None."""
    return next((planted for planted in CATALOGUE if planted.id == identity), None)
