"""Whether the program ended itself because something of its own had noticed a standstill: the exit only tells.

Sources: faulthandler's dump_traceback_later (Modules/faulthandler.c), torch/utils/data/dataloader.py, and the limits of
torch.distributed (TCPStore.cpp, gloo's transport, ProcessGroupNCCL.cpp, monitoredBarrier). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.facts.ended import exit_calls
from harness.facts.folder import TrialFolder
from harness.facts.hang.stacks import Frame
from harness.facts.last_words import last_lines
from harness.model import EndedBy, Fact, Source
from probes import records

FAULTHANDLER = re.compile(r"^Timeout \((?P<time>\d+:\d\d:\d\d(\.\d+)?)\)!$")
FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)$')
WORDS = (
    ("a DataLoader's timeout", re.compile(r"DataLoader timed out after \S+ seconds")),
    ("torch.distributed's store", re.compile(r"[Tt]imed out after \d+ seconds waiting for clients[^\n]*")),
    ("torch.distributed's store", re.compile(r"wait timeout after \d+ms(, keys: \S+)?")),
    ("gloo's timeout", re.compile(r"Timed out waiting \d+ms for (recv|send|\w+) operation to complete")),
    ("NCCL's watchdog", re.compile(r"[Ww]atchdog caught collective operation timeout")),
    ("monitored_barrier", re.compile(r"failed to pass monitoredBarrier in \d+ ms")),
)  # fmt: skip
MOST_LETTERS = 240


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `standstill_reported`: {by, words, at}; nothing where the program did not end itself."""
    if folder.exit.get("ended_by") != EndedBy.ITSELF or folder.exit.get("code") in (None, 0):
        return []
    return [*_by_faulthandler(folder), *_by_words(folder)][:1]


def _by_faulthandler(folder: TrialFolder) -> Iterator[Fact]:
    """With `exit=True` it calls _exit(1) from a thread of its own: none of Python's endings is recorded."""
    if folder.exit.get("code") != 1 or {"atexit", "os._exit"} & set(exit_calls.calls(folder)):
        return
    lines = last_lines(folder.path / records.STDERR)
    found = [(number, match) for number, line in enumerate(lines, 1) if (match := FAULTHANDLER.match(line))]
    if found:
        number, match = found[-1]
        value = {"by": "faulthandler.dump_traceback_later", "words": match[0], "at": _at(lines[number:])}
        yield Fact("standstill_reported", value, (folder.source(records.STDERR, number),))


def _at(lines: tuple[str, ...]) -> str | None:
    """Return where the main thread was, the last that is printed: its innermost frame of the target's own code."""
    begins = [at for at, line in enumerate(lines) if line.startswith(("Thread ", "Current thread "))]
    rows = [match for line in lines[begins[-1] if begins else 0 :] if (match := FRAME.match(line))]
    frames = [Frame(row["name"], row["file"], int(row["line"]), True) for row in rows]
    chosen = next((frame for frame in frames if frame.is_own), next(iter(frames), None))
    return str(chosen) if chosen else None


def _by_words(folder: TrialFolder) -> Iterator[Fact]:
    """The words of an exception that ended a main program, in whichever process."""
    for text, source in _texts(folder):
        for who, words in WORDS:
            match = words.search(text)
            if match:
                value = {"by": who, "words": match[0].strip()[:MOST_LETTERS], "at": None}
                yield Fact("standstill_reported", value, (source,))


def _texts(folder: TrialFolder) -> Iterator[tuple[str, Source]]:
    paths = [folder.path / records.PYTHON_ERROR, *sorted(folder.path.glob(f"processes/*/{records.PYTHON_ERROR}"))]
    for name in (path.relative_to(folder.path).as_posix() for path in paths):
        for row in folder.lines(name).rows:
            if row.value.get("is_main"):
                yield str(row.value.get("message")), folder.source(name, row.line)
