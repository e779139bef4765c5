"""What torch prints at a fatal signal: the native stacks of all threads of the process.

Source: c10/util/signal_handler.cpp (FatalSignalHandler), c10/util/Backtrace.cpp (the lines).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.facts.crash import blocks
from harness.facts.crash.blocks import Block
from harness.facts.crash.frames import Frame, Stack

HEAD = re.compile(r"(SIG[A-Z]+)\(\d+\), PID: (\d+), Thread (\d+): *$")
FRAME = re.compile(r"^ ?frame #\d+: (.*) \+ (0x[0-9a-f]+|\d+) \((0x[0-9a-f]+) in (.*)\)$")
BARE = re.compile(r"^ ?frame #\d+: \[?(0x[0-9a-f]+)\]?$")
OMITTED = "<omitting python frames>"
UNKNOWN = "<unknown function>"
FAULTING = "c10::FatalSignalHandler::fatalSignalHandler("  # the other threads run stacktraceSignalHandler alone
PYTHON_FRAMES = Frame("<python frames>", native=False)


def parse(text: str) -> tuple[Stack, ...]:
    """Return the threads in the order printed; `PYTHON_FRAMES` stands where Python's frames were left out."""
    return tuple(_stack(block) for block in blocks.cut(text.splitlines(), HEAD))


def _stack(block: Block) -> Stack:
    frames = tuple(_frames(block.lines))
    faulting = any(frame.function.startswith(FAULTING) for frame in frames)
    return Stack(int(block.head[3]), None, frames, faulting, process=int(block.head[2]), at=block.at)


def _frames(lines: list[str]) -> Iterator[Frame]:
    """The first line that is no frame ends the stack: what follows is the program's own output."""
    for line in lines:
        found, bare = FRAME.match(line), BARE.match(line)
        if found:
            name = "" if found[1] == UNKNOWN else found[1]
            yield Frame(name, module=found[4], offset=int(found[2], 0), address=int(found[3], 16))
        elif bare:
            yield Frame("", address=int(bare[1], 16))
        elif line.strip() == OMITTED:
            yield PYTHON_FRAMES
        elif not line.strip():
            return
