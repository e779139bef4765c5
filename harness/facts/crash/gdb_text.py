"""What gdb's `thread apply all bt` prints.

Source: "Debugging with GDB", 8.2 Backtraces.
"""

from __future__ import annotations

import re

from harness.facts.crash import blocks
from harness.facts.crash.blocks import Block
from harness.facts.crash.frames import Frame, Stack

HEAD = re.compile(r'^Thread \d+ \((?:Thread \S+ \()?LWP (\d+)\)?(?: "([^"]*)")?')
NUMBER = re.compile(r"^#\d+ +(?:(0x[0-9a-f]+) in )?(.*)$")
FROM = re.compile(r" from (\S.*)$")
SOURCE = re.compile(r" at (\S+):(\d+)$")
TRAMPOLINE = "<signal handler called>"
PAUSED = re.compile(r"^_*(?:libc_|GI_)*(?:pause|sigsuspend)$")


def parse(text: str) -> tuple[Stack, ...]:
    """Return the threads in the order printed; the faulting one is held in sigsuspend(2) or pause(2)."""
    return tuple(_stack(block) for block in blocks.cut(text.splitlines(), HEAD))


def _stack(block: Block) -> Stack:
    frames = tuple(_frame(found) for line in block.lines if (found := NUMBER.match(line)))
    names = [frame.function for frame in frames]
    held = TRAMPOLINE in names and bool(PAUSED.match(names[0]))
    return Stack(int(block.head[1]), block.head[2], frames, held, at=block.at)


def _frame(found: re.Match[str]) -> Frame:
    rest = found[2]
    module, source = FROM.search(rest), SOURCE.search(rest)
    name = rest[: (module or source).start()] if module or source else rest  # type: ignore[union-attr]
    return Frame(
        _without_arguments(name), module=module[1] if module else None, file=source[1] if source else None,
        line=int(source[2]) if source else None, address=int(found[1], 16) if found[1] else None,
    )  # fmt: skip


def _without_arguments(text: str) -> str:
    """Drop the arguments' values, ` (a=1, b=...)`, which gdb sets off with a space; "" for a frame without a name."""
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[index], 0)
        if depth == 0 and text[index] == "(":
            name = text[:index].rstrip() if text[index - 1] == " " else text
            return "" if name == "??" else name
        if depth == 0 and text[index] != " ":
            break
    return "" if text.strip() == "??" else text.strip()
