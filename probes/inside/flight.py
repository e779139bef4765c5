"""The flight ring: a memory-mapped ring of fixed-size records that survives any death of the process, SIGKILL included.

The kernel owns the pages, so what was packed before the death is in the file after it. The header says how to read
the records, hence no reader has to know this module.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import struct
import time
from typing import Any

HEADER_BYTES = 1024
CAPACITY = 8192
FIELDS = ("t", "kind", "depth", "name", "step", "call", "epoch", "thread", "done", "sequence")
FORMAT = "<dHHIIIIIIQ"
KINDS = (
    "none", "start", "torch", "epoch", "data", "batch", "enter", "leave", "backward", "backward_end",
    "optimizer", "step", "end",
)  # fmt: skip
BINARY = getattr(os, "O_BINARY", 0)
RECORD = struct.Struct(FORMAT)
RECORD_BYTES = RECORD.size
PACK, CLOCK = RECORD.pack_into, time.perf_counter
KIND = {name: number for number, name in enumerate(KINDS)}


class Ring:
    """The writing side. `sequence` counts from 1 and is packed last: a slot without its expected number is torn."""

    def __init__(self, path: str, names_path: str) -> None:
        """Make both files at their full size."""
        self.done = 0  # steps done so far; written with each record
        self._names: dict = {}
        self.reopen(path, names_path)
        self.number_of("")

    def reopen(self, path: str, names_path: str) -> None:
        """Write to new files from now on, beginning with the names that are known: a forked child has its own ring."""
        self.counter = itertools.count(1)
        size = HEADER_BYTES + CAPACITY * RECORD_BYTES
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | BINARY, 0o644)
        os.ftruncate(descriptor, size)  # never to less: the supervisor has mapped the ring that an exec leaves behind
        self.buffer: Any = mmap.mmap(descriptor, size)
        os.close(descriptor)
        self.buffer[:] = _header() + bytes(size - HEADER_BYTES)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | BINARY
        self._names_descriptor = os.open(names_path, flags, 0o644)
        for name in self._names:
            self._write_name(name)

    def detach(self) -> None:
        """Write to private memory from now on: for a forked child that has no folder of its own."""
        self.buffer = bytearray(HEADER_BYTES + CAPACITY * RECORD_BYTES)

    def number_of(self, name: str) -> int:
        """Return the number under which a name is written; line n (from 0) of the names file is name n."""
        number = self._names.get(name)
        if number is None:
            number = self._names[name] = len(self._names)
            self._write_name(name)
        return number

    def _write_name(self, name: str) -> None:
        os.write(self._names_descriptor, name.replace("\n", " ").encode() + b"\n")

    def write(self, kind: int, depth: int, name: int, step: int, call: int, epoch: int, thread: int) -> None:
        """Pack one record (the tracker's hooks, which are in a hurry, pack theirs themselves)."""
        at = next(self.counter)
        where = HEADER_BYTES + at % CAPACITY * RECORD_BYTES
        PACK(self.buffer, where, CLOCK(), kind, depth, name, step, call, epoch, thread, self.done, at)


def _header() -> bytes:
    text = json.dumps({
        "magic": "inquest flight ring 1", "format": FORMAT, "fields": FIELDS, "kinds": KINDS, "capacity": CAPACITY,
        "header_bytes": HEADER_BYTES, "record_bytes": RECORD_BYTES, "pid": os.getpid(),
    })  # fmt: skip
    return text.encode().ljust(HEADER_BYTES, b"\n")
