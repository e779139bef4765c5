"""Instructions of the kernel's own machine (eBPF), in order, with jumps to labels: as many bytes; pure.

Sources: the kernel's Documentation/bpf/standardization/instruction-set.rst; bpf-helpers(7). r0 is what a call returns,
r1 to r5 are its arguments and are lost by it, r6 to r9 are kept, r10 is the end of the stack.
"""

from __future__ import annotations

import struct

INSTRUCTION = struct.Struct("=BBhi")
STACK = 10
WORD, LONG = 0x00, 0x18  # 4 and 8 bytes
LOAD, STORE, STORE_NUMBER, ATOMIC_ADD = 0x61, 0x63, 0x62, 0xC3
MOVE, MOVE_NUMBER, ADD_NUMBER, NEGATE, SHIFT_RIGHT = 0xBF, 0xB7, 0x07, 0x87, 0x77
IS, IS_NOT, AT_LEAST = 0x15, 0x55, 0x75  # ==, !=, signed >=
JUMP, CALL, EXIT, MAP = 0x05, 0x85, 0x95, 0x18
OF_MAP = 1  # BPF_PSEUDO_MAP_FD


class Assembly:
    """Methods add one instruction each, or a few; `code` is the whole."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rows: list[tuple[int, int, int, int | str, int]] = []
        self._labels: dict[str, int] = {}

    def load(self, to: int, base: int, offset: int, size: int = LONG) -> None:
        """Take a value from memory into a register."""
        self._add(LOAD | size, to, base, offset)

    def store(self, base: int, offset: int, register: int, size: int = LONG) -> None:
        """Put a register into memory."""
        self._add(STORE | size, base, register, offset)

    def store_number(self, base: int, offset: int, number: int, size: int = LONG) -> None:
        """Put a number into memory."""
        self._add(STORE_NUMBER | size, base, 0, offset, number)

    def count(self, base: int, offset: int) -> None:
        """Add one to eight bytes of memory, whoever else does so; r1 is lost."""
        self.number(1, 1)
        self._add(ATOMIC_ADD | LONG, base, 1, offset)

    def move(self, to: int, register: int, add: int = 0) -> None:
        """Copy a register, and add a number."""
        self._add(MOVE, to, register)
        if add:
            self._add(ADD_NUMBER, to, 0, 0, add)

    def number(self, to: int, number: int) -> None:
        """Set a register."""
        self._add(MOVE_NUMBER, to, 0, 0, number)

    def negate(self, register: int) -> None:
        """Change a register's sign."""
        self._add(NEGATE, register)

    def upper_half(self, register: int) -> None:
        """Keep the upper 32 of 64 bits."""
        self._add(SHIFT_RIGHT, register, 0, 0, 32)

    def map(self, to: int, descriptor: int) -> None:
        """Set a register to a map."""
        self._add(MAP, to, OF_MAP, 0, descriptor)
        self._add(0)

    def call(self, helper: int) -> None:
        """Call one of the kernel's helpers, by its number."""
        self._add(CALL, 0, 0, 0, helper)

    def jump(self, label: str, register: int = 0, test: int = JUMP, number: int = 0) -> None:
        """Go on at the label; with a test, only where the register fulfils it."""
        self._add(test, register, 0, label, number)

    def label(self, name: str) -> None:
        """Name the place of the next instruction."""
        self._labels[name] = len(self._rows)

    def end(self) -> None:
        """Return 0."""
        self.number(0, 0)
        self._add(EXIT)

    @property
    def code(self) -> bytes:
        """The instructions, eight bytes each; jumps count from the one that follows them."""
        return b"".join(
            INSTRUCTION.pack(code, to | source << 4, self._distance(at, offset), number)
            for at, (code, to, source, offset, number) in enumerate(self._rows)
        )

    def _distance(self, at: int, offset: int | str) -> int:
        return self._labels[offset] - at - 1 if isinstance(offset, str) else offset

    def _add(self, code: int, to: int = 0, source: int = 0, offset: int | str = 0, number: int = 0) -> None:
        self._rows.append((code, to, source, offset, number))
