"""Stacks of a program that stands still, as py-spy writes them (`dump --json`, `record -f raw`). Pure."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from harness.facts.crash import noise, pyspy_text
from harness.facts.crash.frames import Frame as ParsedFrame
from harness.facts.crash.frames import Stack

SAMPLE = re.compile(r"^(?P<stack>.*) (?P<count>\d+)$")
PYTHON_SAMPLE = re.compile(r"\([^()]*:\d+\)$")  # name (file.py:12); a native frame has no line number
PLUMBING = re.compile(r"(lib)?python3?|libc[.-]|libpthread|ld-|libffi|_ctypes|\[vdso")
STANDARD = re.compile(r"[/\\](lib[/\\]python3\.\d+|Lib)[/\\](?!site-packages|dist-packages)|^<frozen ")
LIBRARIES = re.compile(
    r"^<frozen |(^|[/\\])(lib[/\\]python3\.\d+|Lib|python3\d+\.zip|site-packages|dist-packages)[/\\]"
)
PACKAGE = re.compile(r"[/\\](?:site|dist)-packages[/\\](.+)$")
BOOT = re.compile(r"[/\\]probes[/\\]inside[/\\]")


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame; `is_python` is False for a native one, whose `file` is its library."""

    name: str
    file: str
    line: int
    is_python: bool

    @property
    def is_standard(self) -> bool:
        """Whether it lies in Python's own library, or in what was started before the program."""
        return bool(STANDARD.search(self.file) or BOOT.search(self.file))

    @property
    def is_own(self) -> bool:
        """Whether it is the target's own code: neither in Python's library nor in an installed package, nor ours."""
        return self.is_python and not (LIBRARIES.search(self.file) or BOOT.search(self.file))

    @property
    def is_wrapper(self) -> bool:
        """Whether it is ours, and only passes a call of the target on."""
        return bool(BOOT.search(self.file)) and self.name.rpartition(".")[2] in noise.WRAPPERS

    def __str__(self) -> str:
        """Return e.g. "Thread.join (threading.py:1119)"; a file of the program itself keeps its folders, one of a
        package those within it.
        """
        package = PACKAGE.search(self.file)
        where = self.base if self.is_standard or not self.is_python else package[1] if package else self.file
        return f"{self.name} ({where}:{self.line})" if self.is_python else f"{self.name} ({where})"

    @property
    def is_plumbing(self) -> bool:
        """Whether it is a native frame that any waiting Python thread has: of the interpreter or of the C library."""
        return not self.is_python and (self.name.startswith("0x") or bool(PLUMBING.match(self.base)))

    @property
    def base(self) -> str:
        """The file's name without its folders."""
        return self.file.replace("\\", "/").rpartition("/")[2]


@dataclasses.dataclass(frozen=True)
class StackThread:
    """One thread's stack, innermost frame first; `line` is where the dump names its id."""

    id: int
    name: str
    owns_gil: bool
    frames: tuple[Frame, ...]
    line: int

    @property
    def python(self) -> tuple[Frame, ...]:
        """The Python frames."""
        return tuple(frame for frame in self.frames if frame.is_python)

    @property
    def native_top(self) -> tuple[Frame, ...]:
        """The native frames above the innermost Python frame."""
        first = next((index for index, frame in enumerate(self.frames) if frame.is_python), len(self.frames))
        return self.frames[:first]


def read(path: Path) -> dict[int, StackThread]:
    """Return the threads of a dump by their system ids; none where it is missing or was cut short."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return {stack.thread_id: _thread(stack) for stack in pyspy_text.parse(text)}


def _thread(stack: Stack) -> StackThread:
    frames = tuple(frame for frame in map(_frame, stack.frames) if not frame.is_wrapper)
    return StackThread(stack.thread_id, stack.name or "", stack.owns_gil, frames, stack.at)


def _frame(frame: ParsedFrame) -> Frame:
    """A native frame is known by its library; one without a name, by its address."""
    name = frame.function or f"0x{frame.address or 0:x}"
    return Frame(name, (frame.module if frame.native else frame.file) or "", frame.line or 0, not frame.native)


@dataclasses.dataclass(frozen=True)
class Sample:
    """One stack of a profile, outermost frame first, and how often it was seen; `line` is its line in the profile."""

    frames: tuple[str, ...]
    count: int
    line: int

    @property
    def python_top(self) -> str:
        """The innermost Python frame, "" where there is none."""
        return next((frame for frame in reversed(self.frames) if PYTHON_SAMPLE.search(frame)), "")

    @property
    def is_native(self) -> bool:
        """Whether the innermost frame is not Python's."""
        return self.frames[-1] != self.python_top


def read_profile(path: Path, thread: int) -> list[Sample]:
    """Return the samples of one thread of a profile in raw form; none where it is missing."""
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []
    matches = ((number, SAMPLE.match(line)) for number, line in enumerate(lines, 1))
    rows = ((number, match["stack"].split(";"), int(match["count"])) for number, match in matches if match)
    return [Sample(tuple(frames[1:]), count, number) for number, frames, count in rows if _is_of(frames, thread)]


def _is_of(frames: list[str], thread: int) -> bool:
    """A profile's outermost frame is its thread: `thread (12)`, or `thread (12): name`."""
    return len(frames) > 1 and frames[0].startswith(f"thread ({thread})")
