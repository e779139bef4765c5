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


def split(raw: bytes) -> tuple[bytes, dict[int, bytes]]:
    """Return the program's own bytes, and each process' blocks by its id."""
    stacks: dict[int, bytes] = {}
    for match in BLOCK.finditer(raw):
        pid = int(match["pid"] or match["lost"])
        stacks[pid] = stacks.get(pid, b"") + match[0]
    return BLOCK.sub(b"", raw), stacks


def separate(folder: Path, pid: int) -> None:
    """Where stderr.log of a trial that has ended holds stacks: keep it as stderr.raw, and write both parts."""
    path = folder / records.STDERR
    raw = path.read_bytes()
    own, stacks = split(raw) if b", PID: " in raw else (raw, {})
    if not stacks:
        return
    path.replace(folder / records.STDERR_RAW)
    path.write_bytes(own)
    for process, text in stacks.items():
        target = folder / records.NATIVE / ("main" if process == pid else str(process))
        target.mkdir(parents=True, exist_ok=True)
        (target / "torch_stacks.txt").write_bytes(text)
