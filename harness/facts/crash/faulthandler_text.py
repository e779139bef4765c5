"""What faulthandler prints: the Python stacks of all threads, and which of them raised the signal, if Python knows it.

Source: Modules/faulthandler.c and Python/traceback.c (_Py_DumpTracebackThreads). A thread's frames end after 100;
"Current thread" is missing where a thread that Python does not know raised the signal.
"""

from __future__ import annotations

import dataclasses
import re

from harness.facts.crash import blocks
from harness.facts.crash.blocks import Block
from harness.facts.crash.frames import Frame, Stack

FATAL = re.compile(r"^(Fatal Python error|Windows fatal exception): (.*)$")
THREAD = re.compile(r"^(Current thread|Thread) (0x[0-9a-f]+)(?: \[(.*)\])? \(most recent call first\):")
FRAME = re.compile(r'^  File "(.*)", line (\d+|\?\?\?) in (.*)$')


@dataclasses.dataclass(frozen=True)
class FaultLog:
    """One crash: what faulthandler called it, its threads, and on which line of the record it begins."""

    signal: str
    threads: tuple[Stack, ...]
    at: int = 1

    @property
    def current(self) -> Stack | None:
        """The thread that raised the signal; None where Python does not know it."""
        return next((stack for stack in self.threads if stack.is_faulting), None)


def parse(text: str) -> FaultLog | None:
    """Return the crash, or None where none was written.

    Of several threads that crashed, the first; on Windows the last, since what was handled is printed as well.
    """
    crashes = blocks.cut(text.splitlines(), FATAL)
    on_windows = bool(crashes) and crashes[-1].head[1].startswith("Windows")
    crash = next(iter(crashes[::-1] if on_windows else crashes), None)
    return FaultLog(crash.head[2], _threads(crash), crash.at) if crash else None


def _threads(crash: Block) -> tuple[Stack, ...]:
    return tuple(
        Stack(
            int(block.head[2], 16), block.head[3], _frames(block.lines), block.head[1] == "Current thread",
            at=crash.at + block.at,
        )
        for block in blocks.cut(crash.lines, THREAD)
    )  # fmt: skip


def _frames(lines: list[str]) -> tuple[Frame, ...]:
    rows = (found for line in lines if (found := FRAME.match(line)))
    return tuple(
        Frame(row[3], file=row[1], line=int(row[2]) if row[2].isdigit() else None, native=False) for row in rows
    )
