"""Trial folder -> the faulting thread's frames, from what the dying process printed, and else from the tools. Pure.

What the process prints (torch's and faulthandler's text) does not depend on whether a tool came in time, so two runs
of one fault give the same frames. py-spy is asked only where faulthandler wrote nothing, and for the same Python
frames; where no stack was printed at all, the program counter stands for the innermost frame. gdb and py-spy give the
names that torch cannot tell, for the reader alone.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from harness.facts.crash import faulthandler_text, frame_names, gdb_text, noise, pyspy_text, torch_text
from harness.facts.crash.frames import Frame, Stack
from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.model import Fact, Source
from probes import records

MAIN = "main"  # the observed process; a descendant's folder is its process id
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ +(\S.*)$", re.MULTILINE)
MOST_FRAMES = 30


@dataclasses.dataclass(frozen=True)
class Crash:
    """The faulting thread: its frames, innermost first, where they come from, and the fault's kind ("SEGV_MAPERR")."""

    frames: tuple[Frame, ...]
    sources: tuple[Source, ...]
    kind: str | None
    thread_id: int | None


@dataclasses.dataclass(frozen=True)
class _Files:
    """Where the records of the process are that died first: the folder of its stacks, and faulthandler's text."""

    own: str
    log: str

    @property
    def torch(self) -> str:
        return f"{self.own}/torch_stacks.txt"

    @property
    def gdb(self) -> str:
        return f"{self.own}/gdb.txt"

    @property
    def fault(self) -> str:
        return f"{self.own}/{records.FAULT}"

    @property
    def py_spy(self) -> tuple[str, str]:
        return f"{self.own}/python_stacks.json", f"{self.own}/native_stacks.json"


def _files(folder: TrialFolder) -> _Files:
    first = first_death.deaths(folder).first
    place, name = (first.folder, str(first.pid)) if first is not None and first.folder else ("", MAIN)
    return _Files(f"{records.NATIVE}/{name}", place + records.FAULT_LOG)


def read(folder: TrialFolder) -> Crash | None:
    """Return what is known of the faulting thread, or None where there is no frame of it.

    Of several processes that died it is the first one's.
    """
    files = _files(folder)
    fault = records.read_json(folder.path / files.fault) or {}
    thread = fault.get("thread", {}).get("tid")
    native, python = _torch(folder, files, thread), _python(folder, files, fault, thread)
    found = [part for part in (native, python) if part] or _last_resorts(folder, files, fault, thread)
    frames = _merged(native.frames if native else (), python.frames if python else ()) or _first(found)
    if not frames:
        return None
    sources = tuple(folder.source(part.file, part.at) for part in found)
    return Crash(frames, sources, fault.get("code"), thread if thread or not native else native.thread_id)


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `crash_stack`, the meaningful frames under the best names that any tool gives."""
    crash = read(folder)
    if crash is None:
        return []
    frames = [frame for frame in _named(folder, crash) if not noise.is_noise(frame)]
    stack = [frame_names.described(frame) for frame in frames[:MOST_FRAMES]]
    return [Fact("crash_stack", stack, crash.sources), *_instruction(folder)]


def _instruction(folder: TrialFolder) -> list[Fact]:
    """Return `fault_instruction`, e.g. "libtorch_cpu.so+0x7b1ca00"; none where the C library is the innocent victim."""
    files = _files(folder)
    frame = _at_pc(folder, files, records.read_json(folder.path / files.fault) or {})
    if frame is None or noise.C_LIBRARY.match(frame.library or ""):
        return []
    source = folder.key_source(files.fault, "pc")
    return [Fact("fault_instruction", frame_names.exact(frame), (source,))]


@dataclasses.dataclass(frozen=True)
class _Part:
    """Frames of the faulting thread as one record tells them."""

    file: str
    at: int
    frames: tuple[Frame, ...]
    thread_id: int | None = None


def _torch(folder: TrialFolder, files: _Files, thread: int | None) -> _Part | None:
    """The thread of fault.json; where that names none, the one in which torch's handler was called."""
    stacks = torch_text.parse(folder.text(files.torch))
    stack = _of(stacks, thread) or next((stack for stack in stacks if stack.is_faulting), None)
    frames = noise.after_handlers(stack.frames) if stack else ()
    return _Part(files.torch, stack.at, frames, stack.thread_id) if stack and frames else None


def _python(folder: TrialFolder, files: _Files, fault: dict[str, Any], thread: int | None) -> _Part | None:
    """The Python frames; none for a thread that fault.json calls unknown to Python."""
    log = faulthandler_text.parse(folder.text(files.log))
    if fault.get("thread", {}).get("known_to_python") is False:
        return None
    if log is not None:
        stack = log.current
        return _Part(files.log, stack.at, _targets(stack)) if stack and stack.frames else None
    found = ((name, _of(pyspy_text.parse(folder.text(name)), thread)) for name in files.py_spy)
    return next(
        (_Part(name, stack.at, _targets(stack)) for name, stack in found if stack and stack.python_frames),
        None,
    )


def _last_resorts(folder: TrialFolder, files: _Files, fault: dict[str, Any], thread: int | None) -> list[_Part]:
    """The place of the faulting instruction; without it gdb, whose coming in time is not certain."""
    innermost = _at_pc(folder, files, fault)
    if innermost is not None:
        return [_Part(files.fault, records.line_of(folder.path / files.fault, "pc"), (innermost,))]
    stack = _of(gdb_text.parse(folder.text(files.gdb)), thread)
    frames = noise.after_handlers(stack.frames) if stack else ()
    return [_Part(files.gdb, stack.at, frames)] if stack and frames else []


def _at_pc(folder: TrialFolder, files: _Files, fault: dict[str, Any]) -> Frame | None:
    """Return the library that the program counter lies in, and the place in it, as torch would print it."""
    pc = int(str(fault.get("pc") or "0"), 16)
    text = folder.text(f"{files.own}/maps.txt") or folder.text(records.MAPS)
    rows = [(int(low, 16), int(high, 16), path) for low, high, path in MAPPING.findall(text)]
    path = next((path for low, high, path in rows if low <= pc < high and path.startswith("/")), None)
    if path is None:
        return None
    return Frame("", module=path, offset=pc - min(low for low, _, other in rows if other == path), address=pc)


def _of(stacks: Iterable[Stack], thread: int | None) -> Stack | None:
    return next((stack for stack in stacks if stack.thread_id == thread), None)


def _targets(stack: Stack) -> tuple[Frame, ...]:
    """Return the Python frames of the target: ours lie outside of them."""
    return tuple(frame for frame in stack.python_frames if not noise.is_ours(frame))


def _first(parts: list[_Part]) -> tuple[Frame, ...]:
    return parts[0].frames if parts else ()


def _merged(native: tuple[Frame, ...], python: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """Put the Python frames where torch left them out; behind the native ones where the unwinding ended before."""
    mark = torch_text.PYTHON_FRAMES
    cut = native.index(mark) if mark in native else len(native)
    return (*native[:cut], *python, *(frame for frame in native[cut:] if frame != mark))


def _named(folder: TrialFolder, crash: Crash) -> tuple[Frame, ...]:
    """Give frames without a name the one that gdb or py-spy tells for the same address in the same thread."""
    files = _files(folder)
    stacks = [
        _of(gdb_text.parse(folder.text(files.gdb)), crash.thread_id),
        _of(pyspy_text.parse(folder.text(files.py_spy[1])), crash.thread_id),
    ]
    known = {
        frame.address: frame
        for stack in stacks[::-1] if stack
        for frame in stack.frames if frame.function and frame.address is not None
    }  # fmt: skip
    return tuple(
        frame if frame.function or frame.address not in known else known[frame.address] for frame in crash.frames
    )
