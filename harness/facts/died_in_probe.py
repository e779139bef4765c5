"""Whether a death lies in the inside probes themselves: then it may be ours, and is asked for without them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.facts.crash import faulthandler_text, noise
from harness.facts.folder import TrialFolder
from harness.model import Fact
from probes import records

FRAME = re.compile(r'^ *File "(.*)", line \d+, in (.*)$', re.MULTILINE)
BEGINNING = re.compile(r"[\\/](?:boot|session|target)\.py$")  # around every target: a death in them is the target's


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `fault_in_probes` where the innermost Python frame of a crash or of an exception is ours."""
    return [Fact("fault_in_probes", True, (folder.source(name, line),)) for name, line in _places(folder)][:1]


def _places(folder: TrialFolder) -> Iterator[tuple[str, int]]:
    log = faulthandler_text.parse(folder.text(records.FAULT_LOG))
    stack = log.current if log else None
    if stack and stack.frames and _is_ours(stack.frames[0].file, stack.frames[0].function):
        yield records.FAULT_LOG, stack.at
    for row in folder.own_lines(records.PYTHON_ERROR):
        frames = FRAME.findall("\n".join(row.value.get("traceback") or ()))
        if frames and _is_ours(*frames[-1]):
            yield records.PYTHON_ERROR, row.line


def _is_ours(file: str | None, function: str) -> bool:
    path = file or ""
    return (
        bool(noise.OURS.search(path))
        and not BEGINNING.search(path)
        and function.rpartition(".")[2] not in noise.WRAPPERS
    )
