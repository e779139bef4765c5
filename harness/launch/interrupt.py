"""Ctrl-C as a question that the work asks itself, not as an exception in the middle of it."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupt:
    """Counts SIGINT and SIGTERM while it is entered. The second SIGINT ends the program as Python would."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.asked = False

    def __enter__(self) -> Interrupt:
        """Take the signals over."""
        self._before = [(number, signal.signal(number, self._ask)) for number in (signal.SIGINT, signal.SIGTERM)]
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._before:
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            signal.default_int_handler(number, frame)
        self.asked = True
