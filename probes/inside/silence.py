"""Takes from this process and its children the power to send deadly signals: one that then still ends it came from
outside.

A seccomp filter answers "done" to the six system calls that send a signal where the signal is a deadly one, and does
nothing; a fault, an abort and the kernel's own signals are untouched. Sources: seccomp(2), BPF in
linux/bpf_common.h, seccomp_data in linux/seccomp.h; call numbers of asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import struct
import sys

from .lines import Lines

DEADLY = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGXCPU")
# kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal, and which argument is the signal
ARGUMENTS = (1, 1, 2, 1, 2, 1)
CALLS = {"x86_64": (62, 200, 234, 129, 297, 424), "aarch64": (129, 130, 131, 138, 240, 424)}
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*: a 32-bit call has other numbers
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
ALLOW, DONE = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ERRNO with errno 0: the call returns 0
LOAD, IS_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16


def apply(inside: Lines) -> None:
    """Install the filter and say so, or say why it cannot be."""
    reason = _missing()
    refused = 0 if reason else _install(program(os.uname().machine))
    inside.write(event="own signals forbidden", applied=not reason and not refused)
    if reason or refused:
        inside.write(event="gap", probe="own signals", reason=reason or f"the kernel refused the filter ({refused})")


def program(machine: str) -> list:
    """Return the filter as BPF instructions: (code, jump if true, jump if false, operand)."""
    numbers = [getattr(signal, name) for name in DEADLY]
    rows: list = [(LOAD, 0, 0, ARCHITECTURE_AT), (IS_EQUAL, 1, 0, ARCHITECTURES[machine]), (RETURN, 0, 0, ALLOW)]
    for index, argument in enumerate(ARGUMENTS):
        rows += [(LOAD, 0, 0, NUMBER_AT), (IS_EQUAL, 0, len(numbers) + 3, CALLS[machine][index])]
        rows += [(LOAD, 0, 0, ARGUMENTS_AT + 8 * argument)]
        rows += [(IS_EQUAL, len(numbers) - place, 0, int(number)) for place, number in enumerate(numbers)]
        rows += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, DONE)]
    return [*rows, (RETURN, 0, 0, ALLOW)]


def _missing() -> str:
    if sys.platform != "linux" or os.uname().machine not in CALLS:
        return "signals can be forbidden on Linux only, on x86-64 and aarch64"
    return "" if importlib.util.find_spec("_ctypes") else "this Python has no ctypes"


def _install(rows: list) -> int:
    """Return 0, or the error number of the call that was refused."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(rows), ctypes.addressof(code)))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return ctypes.get_errno()
    failed = libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.c_void_p(ctypes.addressof(head)), 0, 0)
    return ctypes.get_errno() if failed else 0
