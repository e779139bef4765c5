"""native/exit-<pid>/ -> which library called C exit(), and whether Python code had it called; pure.

The frame below exit() itself. Through a foreign function interface (ctypes, cffi) it is the program's own Python code
that asks; a runtime library that gives up (libgomp: "Thread creation failed") asks for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.facts.crash import frame_names, gdb_text, pyspy_text
from harness.facts.crash.frames import Frame, Stack, basename
from harness.facts.crash.noise import C_LIBRARY
from harness.facts.folder import TrialFolder

MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ +(/.*)$", re.MULTILINE)
INTERFACE = re.compile(r"^(?:libffi|_ctypes|_cffi|cffi)")
INTERPRETER = re.compile(r"^(?:libpython|python[\d.]*$|pypy)")
EXIT = re.compile(r"^_*(?:GI_)?_*(?:exit|run_exit_handlers|nanosleep|clock_nanosleep\w*)$")
PACKAGES = ("/site-packages/", "/dist-packages/")


def caller(folder: TrialFolder, place: str | None, thread: int | None) -> dict[str, Any] | None:
    """Return {library, function, is_own}; None where no stack tells. `place` is the folder of the stacks."""
    if place is None:
        return None
    maps = [
        (int(low, 16), int(high, 16), path) for low, high, path in MAPPING.findall(folder.text(f"{place}/maps.txt"))
    ]
    gdb, spy = (
        gdb_text.parse(folder.text(f"{place}/gdb.txt")),
        pyspy_text.parse(folder.text(f"{place}/native_stacks.json")),
    )
    found = (_below_exit(stacks, thread, maps) for stacks in (gdb, spy))
    path, frame = next((one for one in found if one is not None), (None, None))
    if path is None or frame is None:
        return None
    name = frame_names.function(frame.function) if frame.function else None
    return {"library": basename(path), "function": name, "is_own": _is_own(folder, path)}


def _below_exit(
    stacks: Sequence[Stack], thread: int | None, maps: Sequence[tuple[int, int, str]]
) -> tuple[str, Frame] | None:
    """Return the first frame below exit() that lies in another library than the C library, and that library's path."""
    stack = next((stack for stack in stacks if stack.thread_id == thread), None)
    for frame in stack.frames if stack else ():
        path = _path(frame, maps)
        if path is not None and not C_LIBRARY.match(basename(path)) and not EXIT.match(frame.function):
            return path, frame
    return None


def _path(frame: Frame, maps: Sequence[tuple[int, int, str]]) -> str | None:
    if frame.module and frame.module.startswith("/"):
        return frame.module
    address = frame.address
    return None if address is None else next((path for low, high, path in maps if low <= address < high), None)


def _is_own(folder: TrialFolder, path: str) -> bool:
    """Whether the program's own code asked: Python, through an interface, or a binary that lies beside the program."""
    name = basename(path)
    if INTERFACE.match(name) or INTERPRETER.match(name):
        return True
    directory = str(folder.spec.get("directory") or "")
    beside = bool(directory) and path.startswith(directory.rstrip("/") + "/")
    return beside and not any(part in path for part in PACKAGES) and not path.startswith(str(folder.spec.get("folder")))
