"""The record files: their names, how a line is appended, how lines and JSON files are read back with their numbers.

A record file is never rewritten. A JSON line exists only if it ends in a newline: a torn tail (the writer died in the
middle of it) is reported as a tail and never parsed.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SPEC = "spec.json"
FLIGHT_RING = "flight.ring"
FLIGHT_NAMES = "flight.names"
FORWARDS = "forwards.jsonl"
FAULT_LOG = "fault.log"
FAULT_PAGE = "fault.page"
FAULT = "fault.json"
NATIVE = "native"
PYTHON_ERROR = "python_error.json"
EXITS = "exits.jsonl"
NATIVE_EXIT = "native_exit.jsonl"
CHILDREN = "children.jsonl"
PROCESSES = "processes"
PROCESS = "process.json"
ENDS = "ends.jsonl"
AT_DEATH = "at_death.jsonl"
INSIDE = "inside.jsonl"
CAPTURE = "capture.jsonl"
STDOUT = "stdout.log"
STDERR = "stderr.log"
STDERR_RAW = "stderr.raw"
MEMORY = "memory.jsonl"
PRESSURE = "pressure.jsonl"
CONFINE = "confine.json"
HEADROOM = "headroom.json"
THREADS = "threads.jsonl"
MAPS = "maps.txt"
KERNEL = "kernel.jsonl"
LIMIT_USE = "limit_use.jsonl"
ENVIRONMENT = "environment.json"
EXIT = "exit.json"
LIMITS = "limits.jsonl"
HANDLED = "handled.jsonl"
SPOKEN = "spoken.jsonl"
HALTED = "halted.jsonl"
HANG = "hang.jsonl"
REFUSALS = "refusals.jsonl"
SIGNALS = "signals.jsonl"
STILL = "still.jsonl"
GAPS = "gaps.jsonl"
JOURNAL = "journal.jsonl"
EVIDENCE = "evidence.json"
PLAN = "plan.yaml"


@dataclasses.dataclass(frozen=True)
class Row:
    """One whole line of a record file: its number (from 1) and the object on it."""

    line: int
    value: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Table:
    """All whole rows of one record file, and the torn tail after the last newline ("" where there is none)."""

    rows: tuple[Row, ...]
    tail: str = ""
    exists: bool = True


class Appender:
    """Appends JSON lines to one record file; each line reaches the kernel before `write` returns.

    Usable as a context manager. Lines survive the death of this process, not a power cut.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, making it where it is missing."""
        self._stream: io.FileIO = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record as one line."""
        self._stream.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def write_text(self, line: str) -> None:
        """Append a line that the caller has spelt as JSON itself, newline included (the fast way)."""
        self._stream.write(line.encode())

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._stream.close()

    def __enter__(self) -> Appender:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, whatever happened."""
        self.close()


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Append one record to a file that is written seldom."""
    with Appender(path) as file:
        file.write(record)


def read_lines(path: Path) -> Table:
    """Read a file of JSON lines; a missing file is an empty table with `exists=False`."""
    if not path.exists():
        return Table((), exists=False)
    *whole, tail = path.read_text(encoding="utf-8", errors="replace").split("\n")
    rows = (Row(number, json.loads(text)) for number, text in enumerate(whole, 1) if text.strip())
    return Table(tuple(rows), tail)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file, one key a line, by way of a sibling so that a reader never sees half of it."""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON file that `write_json` wrote; None where it does not exist."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def line_of(path: Path, key: str) -> int:
    """Return the number of the first line that holds `key` in a JSON file written by `write_json`; 1 if none does."""
    if not path.exists():
        return 1
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((number for number, text in enumerate(lines, 1) if f'"{key}":' in text), 1)
