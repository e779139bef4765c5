"""stderr.log, maps.txt -> an OpenMP runtime that ended the program because another copy was there already; pure.

Intel's and LLVM's runtimes look for another copy of themselves as they start, and abort with words of their own (on
Windows with exit code 3). Source: __kmp_register_library_startup in LLVM's openmp/runtime/src/kmp_runtime.cpp;
KMP_DUPLICATE_LIB_OK is read there, too.
"""

from __future__ import annotations

import re

from harness.facts.folder import TrialFolder
from harness.facts.last_words import last_lines
from harness.facts.threads import runtimes
from harness.model import Fact, Source
from probes import records

WORDS = re.compile(r"OMP: Error #15: Initializing (?P<new>.+?), but found (?P<old>.+?) already initialized")
LAST_LINES = 12  # the hint follows, and what the crash handlers write
LLVM = ("libiomp5", "libomp")  # one runtime under two names


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `openmp_duplicate`: {initializing, found, paths}, where these are among the last words of a process.

    `paths`: the copies of that runtime that were mapped, one path each; two of them say which they were.
    """
    told = next((found for found in _told(folder)), None)
    if told is None:
        return []
    match, source = told
    maps, copies = _copies(folder)
    value = {"initializing": match["new"], "found": match["old"], "paths": [file.path for file in copies]}
    return [Fact("openmp_duplicate", value, (source, *(folder.source(maps, file.line) for file in copies)))]


def _copies(folder: TrialFolder) -> tuple[str, list[runtimes.Mapped]]:
    """Return the map that shows most copies, and these: that of a process held at its death, else the trial's."""
    held = sorted(path.relative_to(folder.path).as_posix() for path in folder.path.glob(f"{records.NATIVE}/*/maps.txt"))
    rows = [(name, [file for file in runtimes.mapped(folder, name) if file.family in LLVM]) for name in held]
    trial = (records.MAPS, [file for file in runtimes.mapped(folder) if file.family in LLVM])
    return max([*rows, trial], key=lambda row: len(row[1]))


def _told(folder: TrialFolder) -> list[tuple[re.Match[str], Source]]:
    lines = last_lines(folder.path / records.STDERR)
    spoken = [number for number, line in enumerate(lines, 1) if line.strip()][-LAST_LINES:]
    found = ((WORDS.search(lines[number - 1]), folder.source(records.STDERR, number)) for number in spoken)
    return [(match, source) for match, source in found if match]
