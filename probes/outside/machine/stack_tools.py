"""The external tools that look into a live process, and what stands in their way.

Source: ptrace(2), "Ptrace access mode checking", and the kernel's Documentation/admin-guide/LSM/Yama.rst.
"""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
SCOPES = {
    "0": "allowed",
    "1": "allowed for descendants (kernel.yama.ptrace_scope=1)",
    "2": "kernel.yama.ptrace_scope=2 forbids it to all but root",
    "3": "kernel.yama.ptrace_scope=3 forbids it to everybody",
}


def py_spy() -> str | None:
    """Return the path of py-spy, which is installed beside the interpreter, or None."""
    return shutil.which("py-spy", path=sysconfig.get_path("scripts")) or shutil.which("py-spy")


def gdb() -> str | None:
    """Return the path of gdb, which is optional, or None."""
    return shutil.which("gdb")


def ptrace_scope(setting: Path = YAMA) -> str:
    """Return the value of Yama's setting; "" on a kernel without Yama."""
    return setting.read_text().strip() if setting.exists() else ""


def ptrace_setting(setting: Path = YAMA) -> str:
    """Return in words what the kernel says about reading another process' stacks."""
    value = ptrace_scope(setting)
    return SCOPES.get(value, f"kernel.yama.ptrace_scope={value}") if value else "allowed (this kernel has no Yama)"
