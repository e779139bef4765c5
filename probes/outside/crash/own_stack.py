"""Which mapping is a thread's own stack, wherever its stack pointer has got to.

glibc and musl keep a thread's descriptor at the top of its stack, and the kernel knows an address in it: the head of
the thread's list of robust locks. Sources: get_robust_list(2); allocate_stack in glibc's nptl/allocatestack.c. The main
thread's stack is the mapping that proc_pid_maps(5) calls [stack].
"""

from __future__ import annotations

import ctypes
import os
import re
from typing import Any

GET_ROBUST_LIST = {"x86_64": 274, "aarch64": 100}
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$", re.MULTILINE)
MAIN = "[stack]"


def find(maps: str, pid: int, tid: int) -> dict[str, Any] | None:
    """Return name, low and high of a live thread's own stack, and its guard's bytes; None where it cannot be told."""
    return within(maps, None if tid == pid else _descriptor(tid), tid == pid)


def within(maps: str, address: int | None, is_main: bool) -> dict[str, Any] | None:
    """Return the stack in these maps: that of the main thread, or the writable one that holds `address`."""
    rows = [(int(low, 16), int(high, 16), access, name) for low, high, access, name in MAPPING.findall(maps)]
    found = next((row for row in rows if _is_it(row, address, is_main)), None)
    if found is None:
        return None
    low, high, _, name = found
    guard = next((end - begin for begin, end, access, _ in rows if end == low and "w" not in access), 0)
    return {"name": name or "[anonymous]", "low": hex(low), "high": hex(high), "guard_bytes": guard}


def _is_it(row: tuple[int, int, str, str], address: int | None, is_main: bool) -> bool:
    low, high, access, name = row
    if is_main:
        return name == MAIN
    return address is not None and low <= address < high and "w" in access and not name.startswith(("/", "[heap]"))


def _descriptor(tid: int) -> int | None:
    """Return an address in a thread's descriptor, or None where the kernel does not say."""
    number = GET_ROBUST_LIST.get(os.uname().machine)
    head, size = ctypes.c_void_p(), ctypes.c_size_t()
    if number is None or ctypes.CDLL(None).syscall(number, tid, ctypes.byref(head), ctypes.byref(size)) != 0:
        return None
    return head.value
