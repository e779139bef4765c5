"""The crash handler: Python stacks of all threads into fault.log at the instant of a fatal signal."""

from __future__ import annotations

import faulthandler

_streams: list = []  # faulthandler writes to the descriptor; the stream must live as long as the process


def enable(path: str) -> None:
    """Enable faulthandler into its own file, so that the target's stderr stays its own."""
    stream = open(path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the process
    _streams.append(stream)
    faulthandler.enable(file=stream, all_threads=True)
