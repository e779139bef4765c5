"""Reads the flight ring: live, the newest record; after the death, all that the ring still holds.

The ring's header says how its records are laid out, so this module needs no knowledge of the writer.
"""

from __future__ import annotations

import dataclasses
import json
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER_BYTES = 1024


@dataclasses.dataclass(frozen=True)
class FlightRecord:
    """One record: `t` in seconds of the monotonic clock, counters from 1 (0: not yet), `done` the steps done."""

    sequence: int
    t: float
    kind: str
    depth: int
    name: str
    step: int
    call: int
    epoch: int
    thread: int
    done: int


class Layout:
    """How to read one ring, from its header."""

    def __init__(self, header: dict[str, Any]) -> None:
        """Take the parsed header."""
        self.record = struct.Struct(header["format"])
        self.fields: list[str] = header["fields"]
        self.kinds: list[str] = header["kinds"]
        self.capacity: int = header["capacity"]
        self.header_bytes: int = header["header_bytes"]
        self.pid: int = header["pid"]

    def slot(self, buffer: bytes | mmap.mmap, sequence: int) -> dict[str, Any] | None:
        """Return the record of that sequence number, or None where it was not written or is torn."""
        offset = self.header_bytes + sequence % self.capacity * self.record.size
        values = dict(zip(self.fields, self.record.unpack_from(buffer, offset), strict=True))
        return values if values["sequence"] == sequence else None


def read_layout(head: bytes) -> Layout | None:
    """Return the layout that the first bytes of a ring tell; None while they are not written, or not all of them.

    They are copied while somebody may read: what is not there yet is zero, in the middle, too.
    """
    text = head[:HEADER_BYTES].rstrip(b"\n\0")
    is_whole = text.startswith(b"{") and b"\0" not in text and text.count(b"{") == text.count(b"}")
    return Layout(json.loads(text)) if is_whole else None


class LiveRing:
    """Follows a ring that is being written; `newest` costs a few microseconds."""

    def __init__(self, path: Path) -> None:
        """Follow `path`, which need not exist yet."""
        self._path = path
        self._map: mmap.mmap | None = None
        self._layout: Layout | None = None
        self._last = 0
        self._values: dict[str, Any] | None = None

    def newest(self) -> dict[str, Any] | None:
        """Return the newest record's raw fields (kind as a word); None before the first."""
        layout = self._open()
        if layout is None or self._map is None:
            return None
        found = _advance(layout, self._map, self._last)
        if found is not None:
            self._last, self._values = found["sequence"], {**found, "kind": layout.kinds[found["kind"]]}
        return self._values

    def _open(self) -> Layout | None:
        if self._map is None and self._path.exists() and self._path.stat().st_size > HEADER_BYTES:
            descriptor = os.open(self._path, os.O_RDONLY)
            self._map = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
            os.close(descriptor)
        if self._layout is None and self._map is not None:
            self._layout = read_layout(self._map[:HEADER_BYTES])
        return self._layout


def _advance(layout: Layout, buffer: mmap.mmap, last: int) -> dict[str, Any] | None:
    """Return the newest record after number `last`: step by step, or by a full scan where the writer has lapped us."""
    found = None
    following = layout.slot(buffer, last + 1)
    if following is None:
        return _newest_by_scan(layout, buffer, last)
    while following is not None:
        found = following
        following = layout.slot(buffer, found["sequence"] + 1)
    return found


def _newest_by_scan(layout: Layout, buffer: mmap.mmap, last: int) -> dict[str, Any] | None:
    """Scan only where the next slot was overwritten by a later lap."""
    offset = layout.header_bytes + (last + 1) % layout.capacity * layout.record.size
    occupant = dict(zip(layout.fields, layout.record.unpack_from(buffer, offset), strict=True))
    if occupant["sequence"] <= last:
        return None
    return max(_slots(layout, buffer), key=lambda values: values["sequence"], default=None)


def _slots(layout: Layout, buffer: bytes | mmap.mmap) -> Iterator[dict[str, Any]]:
    for index in range(layout.capacity):
        values = dict(
            zip(
                layout.fields,
                layout.record.unpack_from(buffer, layout.header_bytes + index * layout.record.size),
                strict=True,
            )
        )
        if values["sequence"] and values["sequence"] % layout.capacity == index:
            yield values


def read_ring(ring: Path, names: Path) -> list[FlightRecord]:
    """Return what a ring holds, oldest first; empty where the file is missing or was never begun."""
    buffer = ring.read_bytes() if ring.exists() else b""
    layout = read_layout(buffer[:HEADER_BYTES])
    if layout is None:
        return []
    texts = names.read_text(encoding="utf-8", errors="replace").split("\n") if names.exists() else []
    ordered = sorted(_slots(layout, buffer), key=lambda values: values["sequence"])
    return [_record(values, layout, texts) for values in ordered]


def _record(values: dict[str, Any], layout: Layout, texts: list[str]) -> FlightRecord:
    name = texts[values["name"]] if values["name"] < len(texts) else ""
    return FlightRecord(**{**values, "kind": layout.kinds[values["kind"]], "name": name})
