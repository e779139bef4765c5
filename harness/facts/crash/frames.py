"""A frame and a stack, whatever tool printed them."""

from __future__ import annotations

import dataclasses
import re

BUILD_HASH = re.compile(r"-[0-9a-f]{8}(?=\.so)")  # auditwheel's mark in the name of a bundled library
SEPARATORS = re.compile(r"[\\/]+")


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame; `function` is "" where the library tells no name.

    `module` is the path of the library, `file` and `line` the source. `offset` is an offset into the library where the
    function has no name (it stays the same from run to run), and else into the function.
    """

    function: str
    module: str | None = None
    file: str | None = None
    line: int | None = None
    offset: int | None = None
    native: bool = True
    address: int | None = None

    @property
    def library(self) -> str | None:
        """The library's name without its path and build hash."""
        return BUILD_HASH.sub("", basename(self.module)) if self.module else None


@dataclasses.dataclass(frozen=True)
class Stack:
    """One thread's frames, innermost first.

    `thread_id` is the kernel's, but for faulthandler, which prints the pthread's. `at` is the line of the record on
    which the stack begins (from 1), `process` the process' id where the tool prints it.
    """

    thread_id: int
    name: str | None
    frames: tuple[Frame, ...]
    is_faulting: bool = False
    process: int | None = None
    owns_gil: bool = False
    at: int = 1

    @property
    def python_frames(self) -> tuple[Frame, ...]:
        """The frames that are Python's own."""
        return tuple(frame for frame in self.frames if not frame.native)


def basename(path: str) -> str:
    """Return the last part of a path of any system."""
    return SEPARATORS.split(path)[-1]
