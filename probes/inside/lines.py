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
        self.reopen(path)

    def reopen(self, path: str) -> None:
        """Write to another file from now on: a forked child has records of its own."""
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)

    def write(self, **fields: object) -> None:
        """Append one line; it is in the kernel's hands before this returns."""
        row = {"t": time.perf_counter(), "pid": os.getpid(), **fields}
        os.write(self.descriptor, json.dumps(row, separators=(",", ":"), default=str).encode() + b"\n")

    def write_text(self, text: str) -> None:
        """Append a line that the caller has spelt as JSON itself (the fast way, for the forwards)."""
        os.write(self.descriptor, text.encode())


class RecordFolder:
    """The folder that this process writes its records into; `move` takes every open file along to another one."""

    def __init__(self, path: str) -> None:
        """Take the folder, which exists."""
        self.path = path
        self._open: dict[str, Lines] = {}

    def file(self, name: str) -> str:
        """Return the path of a record file."""
        return os.path.join(self.path, name)

    def lines(self, name: str) -> Lines:
        """Return the one writer of a record file."""
        if name not in self._open:
            self._open[name] = Lines(self.file(name))
        return self._open[name]

    def opened(self) -> list[Lines]:
        """Return all writers that are open."""
        return list(self._open.values())

    def move(self, path: str) -> None:
        """Write everything into another folder from now on."""
        self.path = path
        for name, lines in self._open.items():
            lines.reopen(self.file(name))
