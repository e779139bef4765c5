"""Passes the target's stdout and stderr through to the harness' own, byte for byte, while it runs."""

from __future__ import annotations

import os
import select
import sys
import threading
from pathlib import Path

from probes import records

PIECE_BYTES = 1 << 16
PACE_SECONDS = 0.05
STREAMS = ((records.STDOUT, records.STDOUT, 1), (records.STDERR, records.STDERR_RAW, 2))


class Echo:
    """While entered, copies what a trial's streams receive, each in its own order; on leaving, all that is left.

    The copy runs in a thread of its own: a slow reader must not hold the supervisor up. It ends early where nobody
    reads any more.
    """

    def __init__(self, folder: Path) -> None:
        """Take the trial's folder, which need not exist yet."""
        self._folder = folder
        self._copied = [0 for _ in STREAMS]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="echo", daemon=True)

    def __enter__(self) -> Echo:
        """Begin to copy."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Copy the rest."""
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(PACE_SECONDS):
            self._copy(is_last=False)
        self._copy(is_last=True)

    def _copy(self, is_last: bool) -> None:
        for number, (name, raw, descriptor) in enumerate(STREAMS):
            kept = self._folder / raw  # at the end, stderr as it came may have been set aside
            path = kept if is_last and kept.exists() else self._folder / name
            if path.exists():
                self._copied[number] += _pass_on(path, self._copied[number], descriptor)


def _pass_on(path: Path, start: int, descriptor: int) -> int:
    """Copy a file's bytes from `start` on; return how many."""
    copied = 0
    with open(path, "rb", buffering=0) as stream:
        stream.seek(start)
        while (piece := stream.read(PIECE_BYTES)) and _is_read(descriptor):
            view = memoryview(piece)
            while view:
                view = view[os.write(descriptor, view) :]
            copied += len(piece)
    return copied


def _is_read(descriptor: int) -> bool:
    """Whether anybody still reads a stream; where that cannot be asked, it is taken for granted."""
    if sys.platform == "win32":
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return not any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
