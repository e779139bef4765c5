"""Splits stderr into what the program itself wrote and the native stacks that torch's crash handler wrote in between.

Source: stacktraceSignalHandler in c10/util/signal_handler.cpp: a header, frames, an empty line, one block a thread.
"""

from __future__ import annotations

import re
from pathlib import Path

from probes import records

BLOCK = re.compile(
    rb"SIG[A-Z]+\(\d+\), PID: (?P<pid>\d+), Thread \d+: \n"
    rb"(?: ?frame #\d+: [^\n]*\n|<omitting python frames>\n)*\n?"
    rb"|signal lost waiting for stacktrace (?P<lost>\d+):\d+\n"
)
PIECE_BYTES = 1 << 20


def split(raw: bytes) -> tuple[bytes, dict[int, bytes]]:
    """Return the program's own bytes, and each process' blocks by its id."""
    stacks: dict[int, bytes] = {}
    for match in BLOCK.finditer(raw):
        pid = int(match["pid"] or match["lost"])
        stacks[pid] = stacks.get(pid, b"") + match[0]
    return BLOCK.sub(b"", raw), stacks


def _holds(path: Path, words: bytes) -> bool:
    """Whether a file holds the words; read in pieces, as the supervisor must stay small whatever a program prints."""
    end = b""
    with open(path, "rb", buffering=0) as stream:
        while piece := stream.read(PIECE_BYTES):
            if words in end + piece:
                return True
            end = piece[-len(words) :]
    return False


def separate(folder: Path, pid: int) -> None:
    """Where stderr.log of a trial that has ended holds stacks: keep it as stderr.raw, and write both parts."""
    path = folder / records.STDERR
    own, stacks = split(path.read_bytes()) if _holds(path, b", PID: ") else (b"", {})
    if not stacks:
        return
    path.replace(folder / records.STDERR_RAW)
    path.write_bytes(own)
    for process, text in stacks.items():
        target = folder / records.NATIVE / ("main" if process == pid else str(process))
        target.mkdir(parents=True, exist_ok=True)
        (target / "torch_stacks.txt").write_bytes(text)
