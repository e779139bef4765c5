"""Plant a real fault into an untouched target: a native SIGSEGV at a chosen call of a chosen module.

The fault is what a bad kernel does: a parallel loop whose second half reads memory that is not there, so that a worker
of the OpenMP pool faults, and not the thread that runs Python. Whether it strikes is asked at the instant itself, of
torch's own thread count and of the input's first dimension.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
import types

from .lines import Lines
from .tracker import Tracker

REGION_BYTES = 1 << 24
_regions: list = []  # the mapping must outlive the tensor that looks into it


def install(torch: types.ModuleType, tracker: Tracker, plant: dict, inside: Lines) -> None:
    """Arm the fault; `plant` holds module, call, min_threads and min_batch."""
    inside.write(event="plant", **plant)

    def strike(module: object, args: tuple) -> None:
        if tracker.name_of(module) == plant["module"] and tracker.call_of(module) == plant["call"]:
            batch = args[0].shape[0] if args else 0
            if torch.get_num_threads() >= plant["min_threads"] and batch >= plant["min_batch"]:
                _read_what_is_not_there(torch)

    torch.nn.modules.module.register_module_forward_pre_hook(strike)


def _read_what_is_not_there(torch: types.ModuleType) -> object:
    region = mmap.mmap(-1, REGION_BYTES)
    _regions.append(region)
    base = ctypes.addressof(ctypes.c_char.from_buffer(region))
    _forbid(base + REGION_BYTES // 2, REGION_BYTES // 4)
    view = (ctypes.c_char * REGION_BYTES).from_address(base)
    return torch.frombuffer(view, dtype=torch.float32) * 2


def _forbid(address: int, size: int) -> None:
    """Take all access to whole pages away (mprotect PROT_NONE, VirtualProtect PAGE_NOACCESS)."""
    if sys.platform == "win32":
        before = ctypes.c_ulong()
        kernel32 = ctypes.windll.kernel32
        kernel32.VirtualProtect(ctypes.c_void_p(address), ctypes.c_size_t(size), 0x01, ctypes.byref(before))
    else:
        ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), 0)
