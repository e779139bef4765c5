"""stderr.log, stdout.log, every python_error.json -> whether any word of the program speaks of memory at all; pure.

Wider than what names a want (`facts/refused/wording.py`) or an allocator's failure (`allocators.py`): it is asked to
show that memory was *not* spoken of, so a word too many costs trials, and a word too few a verdict. What goes to stdout
is a log as a rule, which may tell of use at every step: there only words of want count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.facts.last_words import last_lines
from harness.facts.memory import allocators
from harness.model import Fact, Source
from probes import records

WANT = re.compile(
    r"out[ _-]?of[ _-]?(?:\w+[ _-])?memory"
    r"|(?:memory|heap|arena|pool|swap)\b[^\n]{0,40}(?:exhaust|exceed|full|limit|fail)"
    r"|(?:not|in)[ -]?(?:enough|sufficient)[^\n]{0,40}memory|MemoryError|\bENOMEM\b|\bENOBUFS\b|buffer space|bad_alloc"
    r"|(?:fail|unable|cannot|can't|could not|couldn't|refus)\w*[^\n]{0,60}(?:alloc|\bmmap|\bmap\b|memory)"
    r"|alloc\w*\b[^\n]{0,60}(?:fail|error|exhaust|refus|denied)|\bmmap[^\n]{0,40}fail|\boom\b|paging file",
    re.IGNORECASE,
)
SPOKEN = re.compile(r"(?<![\w./])memory(?!\w|[(/=]|\.\w)|\bswap\b|\bheap\b(?! corruption)|\barena\b", re.IGNORECASE)
DAMAGE = re.compile(r"double free|corrupted|invalid (?:size|pointer|next)|stack smashing|invalid memory|memory access")
ALLOCATOR = "std::allocator"  # a type in the names of C++ functions
MOST_LETTERS = 500
LOG_LINES = 400


def facts(folder: TrialFolder) -> list[Fact]:
    """Return `speaks_of_memory` ({text}) for the first such words; nothing where there are none."""
    told = ((text, source) for text, source in _words(folder))
    return [Fact("speaks_of_memory", {"text": text[:MOST_LETTERS]}, (source,)) for text, source in told][:1]


def of(text: str, is_log: bool = False) -> bool:
    """Return whether a line speaks of memory; a damaged heap is no want of it, and a frame of a stack no word."""
    words = text.replace(ALLOCATOR, "")
    said = WANT.search(words) or allocators.failure(words) or (not is_log and SPOKEN.search(words))
    return bool(said) and not DAMAGE.search(words)


def _words(folder: TrialFolder) -> Iterator[tuple[str, Source]]:
    yield from _exceptions(folder)
    for name, is_log in ((records.STDERR, False), (records.STDOUT, True)):
        lines = list(enumerate(last_lines(folder.path / name), 1))
        for number, line in lines[-LOG_LINES:] if is_log else lines:
            if of(line, is_log):
                yield line.strip(), folder.source(name, number)


def _exceptions(folder: TrialFolder) -> Iterator[tuple[str, Source]]:
    """Yield what each uncaught exception of any process says, with those that it was raised from."""
    paths = [folder.path / records.PYTHON_ERROR, *folder.path.glob(f"{records.PROCESSES}/*/{records.PYTHON_ERROR}")]
    for name in (path.relative_to(folder.path).as_posix() for path in sorted(paths)):
        for row in folder.lines(name).rows:
            error = row.value
            for one in (error, *(error.get("chain") or ())):
                text = f"{one.get('type')}: {one.get('message')}"
                if of(text):
                    yield text, folder.source(name, row.line)
