"""What machine and environment this is, and which evidence it can give; the supervisor never imports torch to tell."""

from __future__ import annotations

import importlib.metadata
import platform
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from harness.launch.interpreter import PACKAGES, Interpreter
from harness.plan.cells import all_cores
from probes.outside.memory.control_group_limits import memory_limits

STEERING = (  # all but the last as in probes/inside/steering.py, which shares no code with us; a test holds it
    "OMP_", "KMP_", "MKL_", "OPENBLAS_", "GOMP_", "TBB_", "NUMEXPR_", "VECLIB_",
    "ATEN_", "ONEDNN_", "DNNL_", "TORCH_", "PYTORCH_", "MALLOC_", "LD_", "PYTHON",
)  # fmt: skip
RESTORED = ("SIGPIPE", "SIGXFSZ", "SIGXFZ")  # Python ignores these itself, and subprocess gives them back to the child
LIMITS = (
    "RLIMIT_AS",
    "RLIMIT_DATA",
    "RLIMIT_STACK",
    "RLIMIT_NPROC",
    "RLIMIT_CORE",
    "RLIMIT_FSIZE",
    "RLIMIT_CPU",
    "RLIMIT_NOFILE",
)


def of_machine() -> dict[str, Any]:
    """Return the machine as evidence.json shows it; sizes in bytes."""
    return {
        "platform": platform.platform(), "machine": platform.machine(), "cpus": all_cores(),
        "memory_bytes": psutil.virtual_memory().total, "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }  # fmt: skip


def of_child(environment: Mapping[str, str], target: Interpreter) -> dict[str, Any]:
    """Return what a trial's child starts with: the machine, its own Python and packages, steering variables, resource
    limits, cgroup.
    """
    return {
        **of_machine(),
        "python": target.version,
        "packages": dict(target.packages),
        "variables": {name: value for name, value in sorted(environment.items()) if name.startswith(STEERING)},
        "rlimits": _rlimits(),
        "cgroup_memory_limits": memory_limits(),
        "available_bytes": psutil.virtual_memory().available,
        "supervisor_rss_bytes": _own_peak(),
        "executable": target.path,
        "ignored_signals": _ignored_signals(),
    }


def _own_peak() -> int:
    """Return the highest RSS of this process, in bytes: with vfork(2), that is where a child's `ru_maxrss` begins.

    The child runs in our memory until execve(2), which credits it with that memory's high-water mark (fs/exec.c).
    """
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    peaks = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return max(psutil.Process().memory_info().rss, *peaks)


def _version(name: str) -> str | None:
    found = next(iter(importlib.metadata.distributions(name=name)), None)
    return found.version if found else None


def _ignored_signals() -> list[str]:
    """Return the signals that the child inherits ignored, as children of `nohup` (SIGHUP) and of `&` (SIGINT) do."""
    names = (member for member in signal.Signals if member.value not in (9, 19))
    ignored = [member.name for member in names if signal.getsignal(member) is signal.SIG_IGN]
    return [name for name in ignored if name not in RESTORED]


def _rlimits() -> dict[str, list[int]]:
    """Soft and hard limits; -1 is unlimited. Empty where the system has no such limits."""
    if sys.platform == "win32":
        return {}
    import resource

    return {name: list(resource.getrlimit(getattr(resource, name))) for name in LIMITS if hasattr(resource, name)}
