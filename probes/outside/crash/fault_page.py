"""Reads the fault page of an observed process (probes/inside/fault_page.py tells its layout), and lets the process die.

Sources: siginfo_t in sigaction(2); ucontext_t in the kernel's arch/x86/include/uapi/asm/sigcontext.h and
arch/arm64/include/uapi/asm/sigcontext.h.
"""

from __future__ import annotations

import dataclasses
import mmap
import os
import struct
from pathlib import Path
from typing import Any

SIZE, FIRST_SLOT, SLOT_SIZE, SLOTS = 8192, 0x400, 0x400, 7
MAGIC = b"INQFAULT"
MACHINE_CODE, PAUSE = 1, 2
FAULTED, HELD = 1, 2
SENT_BY_CALL = (0, -1, -6)  # SI_USER, SI_QUEUE, SI_TKILL: kill(2), sigqueue(3), tgkill(2)
X86_64 = (
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp",
    "rip", "eflags", "segments", "error", "trap", "old_mask", "cr2",
)  # fmt: skip
AARCH64 = ("fault_address", *(f"x{number}" for number in range(31)), "sp", "pc", "pstate")


@dataclasses.dataclass(frozen=True)
class Registers:
    """The registers at the fault, by name; the program counter, stack pointer and fault address among them."""

    all: dict[str, int]
    pc: int
    sp: int
    fault_address: int


@dataclasses.dataclass(frozen=True)
class FaultSlot:
    """One faulting thread: `t` on the system-wide monotonic clock; `address` is None where the kernel names none.

    `sender_pid` and `sender_uid`: who sent the signal, where a process did (si_pid, si_uid in sigaction(2)).
    """

    state: int
    tid: int
    pid: int
    signal: int
    code: int
    address: int | None
    t: float
    registers: Registers
    sender_pid: int | None = None
    sender_uid: int | None = None


class FaultPage:
    """One page, mapped; every question costs about a microsecond and none can fail."""

    def __init__(self, path: Path) -> None:
        """Map a page of full size (`is_whole`)."""
        descriptor = os.open(path, os.O_RDWR)
        self._map = mmap.mmap(descriptor, SIZE)
        os.close(descriptor)

    @property
    def mode(self) -> int:
        """How the process is held: MACHINE_CODE, PAUSE, or 0 while nothing is armed."""
        return self._number(0xC8) if self._map[:8] == MAGIC else 0

    @property
    def faults(self) -> int:
        """How many threads have faulted."""
        return self._number(8)

    @property
    def first(self) -> FaultSlot | None:
        """The thread that faulted first; None before it, and while its slot is being written."""
        return read_slot(self._map, 0) if self.faults and self._number(FIRST_SLOT) else None

    @property
    def threads(self) -> list[int]:
        """The ids of the threads that have faulted."""
        count = min(self.faults, SLOTS)
        return [self._number(FIRST_SLOT + index * SLOT_SIZE + 4) for index in range(count)]

    @property
    def release_signal(self) -> int:
        """The signal whose handler lets the process die."""
        return self._number(0xCC)

    @property
    def freeze_signal(self) -> int:
        """The signal whose handler stops a thread where it is; 0 where there is none."""
        return self._number(0xF0) if self.mode == MACHINE_CODE else 0

    def let_die(self, was_sent: bool) -> None:
        """Write the permission; the release signal makes the held thread look at it.

        A signal that was sent does not come again by itself, as that of a faulting instruction does.
        """
        struct.pack_into("<I", self._map, 0xC4, int(was_sent))
        struct.pack_into("<I", self._map, 12, 1)

    def _number(self, offset: int) -> int:
        number: int = struct.unpack_from("<I", self._map, offset)[0]
        return number


def is_whole(path: Path) -> bool:
    """Whether the file is there at its full size."""
    return path.exists() and path.stat().st_size == SIZE


def read_slot(page: bytes | mmap.mmap, index: int, machine: str = "") -> FaultSlot:
    """Return one slot; `machine` is the architecture that wrote it (this machine's, if not told)."""
    at = FIRST_SLOT + index * SLOT_SIZE
    state, tid, pid, number = struct.unpack_from("<4I", page, at)
    _, _, code, address = struct.unpack_from("<iii4xQ", page, at + 0x10)
    seconds, nanoseconds = struct.unpack_from("<qq", page, at + 0x50)
    registers = read_registers(page, at + 0x60, machine or os.uname().machine)
    has_address = code > 0 and code != 0x80  # SI_KERNEL: a non-canonical address, which the CPU does not tell
    sender = (address & 0xFFFFFFFF, address >> 32) if code in SENT_BY_CALL else (None, None)
    return FaultSlot(
        state, tid, pid, number, code, address if has_address else None, seconds + nanoseconds / 1e9, registers, *sender
    )


def read_registers(page: bytes | mmap.mmap, at: int, machine: str) -> Registers:
    """Return the registers that a ucontext_t of that architecture holds."""
    if machine == "aarch64":
        found: dict[str, Any] = dict(zip(AARCH64, struct.unpack_from("<35Q", page, at + 176), strict=True))
        return Registers(found, found["pc"], found["sp"], found["fault_address"])
    found = dict(zip(X86_64, struct.unpack_from("<23Q", page, at + 40), strict=True))
    return Registers(found, found["rip"], found["rsp"], found["cr2"])
