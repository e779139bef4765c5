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
RECORD = struct.Struct(FORMAT)
_pack, _clock = RECORD.pack_into, time.perf_counter
KIND = {name: number for number, name in enumerate(KINDS)}


class Ring:
    """The writing side. `sequence` counts from 1 and is packed last: a slot without its expected number is torn."""

    def __init__(self, path: str, names_path: str) -> None:
        """Make both files at their full size."""
        size = HEADER_BYTES + CAPACITY * RECORD.size
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)
        os.ftruncate(descriptor, size)
        self._buffer: Any = mmap.mmap(descriptor, size)
        os.close(descriptor)
        self._buffer[:HEADER_BYTES] = _header()
        self._counter = itertools.count(1)
        self.done = 0  # steps done so far; written with each record
        self._names: dict[str, int] = {}
        self._names_descriptor = os.open(
            names_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644
        )
        self.number_of("")

    def number_of(self, name: str) -> int:
        """Return the number under which a name is written; line n (from 0) of the names file is name n."""
        number = self._names.get(name)
        if number is None:
            number = self._names[name] = len(self._names)
            os.write(self._names_descriptor, name.replace("\n", " ").encode() + b"\n")
        return number

    def write(self, kind: int, depth: int, name: int, step: int, call: int, epoch: int, thread: int) -> None:
        """Pack one record; about a microsecond."""
        sequence = next(self._counter)
        offset = HEADER_BYTES + sequence % CAPACITY * RECORD.size
        _pack(self._buffer, offset, _clock(), kind, depth, name, step, call, epoch, thread, self.done, sequence)

    def detach(self) -> None:
        """Write to private memory from now on: for a forked child, whose parent owns the file."""
        self._buffer = bytearray(HEADER_BYTES + CAPACITY * RECORD.size)


def _header() -> bytes:
    text = json.dumps({
        "magic": "inquest flight ring 1", "format": FORMAT, "fields": FIELDS, "kinds": KINDS, "capacity": CAPACITY,
        "header_bytes": HEADER_BYTES, "record_bytes": RECORD.size, "pid": os.getpid(),
    })  # fmt: skip
    return text.encode().ljust(HEADER_BYTES, b"\n")
