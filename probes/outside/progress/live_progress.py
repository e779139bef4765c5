"""Follows the records of the observed process and of the Python processes that it starts, while they are written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probes import records
from probes.outside.progress.flight import LiveRing

BEFORE_BOOT = {"sequence": 0, "step": 0, "done": 0, "kind": "start"}
PIECE = 1 << 20
ROOT_ENDED = b'"event":"end"'
ROOT_DEPTH = b'"depth":0,'


class Process:
    """One process' flight ring and its forwards, followed."""

    def __init__(self, folder: Path) -> None:
        """Follow the folder's files, which need not exist yet."""
        self._ring = LiveRing(folder / records.FLIGHT_RING)
        self._forwards = folder / records.FORWARDS
        self._read, self._torn, self.forwards = 0, b"", 0

    def newest(self) -> Mapping[str, Any]:
        """Return the ring's newest record."""
        return self._ring.newest() or BEFORE_BOOT

    def count_forwards(self) -> int:
        """Return how many forwards of whole models have ended; reads what has come since the last call."""
        size = os.stat(self._forwards).st_size if self._forwards.exists() else 0
        while self._read < size:
            with open(self._forwards, "rb") as stream:
                stream.seek(self._read)
                piece = stream.read(PIECE)
            self._read += len(piece)
            *whole, self._torn = (self._torn + piece).split(b"\n")
            self.forwards += sum(ROOT_ENDED in line and ROOT_DEPTH in line for line in whole)
        return self.forwards


class Processes:
    """All processes of a trial. What a descendant does is looked at only when `look` is called: it costs a scan."""

    def __init__(self, folder: Path) -> None:
        """Follow a trial's folder."""
        self._folder = folder
        self.main = Process(folder)
        self._others: dict[str, Process] = {}
        self._newest: list[Mapping[str, Any]] = []

    def look(self) -> None:
        """Find new processes and read the newest record of each."""
        path = self._folder / records.PROCESSES
        for entry in os.scandir(path) if path.is_dir() else ():
            if entry.name not in self._others:
                self._others[entry.name] = Process(Path(entry.path))
        self._newest = [process.newest() for process in self._others.values()]

    def leading(self) -> Mapping[str, Any]:
        """Return the newest record of the process that has got furthest: the observed one, or one that it started."""
        rows = (self.main.newest(), *self._newest)
        return max(rows, key=lambda row: (row["done"], row["step"]))  # the first of equals: the observed one

    def mark(self) -> tuple[int, int]:
        """Return numbers that change where any process has written a record; a descendant's as `look` saw it."""
        return self.main.newest()["sequence"], sum(row["sequence"] for row in self._newest)

    def count_forwards(self) -> int:
        """Return the forwards of the process that has done most of them."""
        return max(process.count_forwards() for process in (self.main, *self._others.values()))
