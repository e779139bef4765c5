"""Append JSON lines that survive this process: one `os.write` a line, nothing buffered."""

from __future__ import annotations

import json
import os
import time


class Lines:
    """One record file, open for appending. Each line gets `t` (seconds, the system-wide monotonic clock)
    and `pid`, since a forked child inherits the descriptor."""

    def __init__(self, path: str) -> None:
        """Open the file, making it where it is missing."""
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)

    def write(self, **fields: object) -> None:
        """Append one line; it is in the kernel's hands before this returns."""
        row = {"t": time.perf_counter(), "pid": os.getpid(), **fields}
        os.write(self.descriptor, json.dumps(row, separators=(",", ":"), default=str).encode() + b"\n")

    def write_text(self, text: str) -> None:
        """Append a line that the caller has spelt as JSON itself (the fast way, for the forwards)."""
        os.write(self.descriptor, text.encode())

    def detach(self) -> None:
        """Write nowhere from now on: for a forked child, whose parent owns the file."""
        self.descriptor = os.open(os.devnull, os.O_WRONLY)
