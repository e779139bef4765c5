"""What `py-spy dump --json` prints, with and without `--native`: the threads that Python knows.

Source: py-spy's src/stack_trace.rs (StackTrace, Frame).
"""

from __future__ import annotations

import json
import re
from typing import Any

from harness.facts.crash.frames import Frame, Stack

ADDRESS = re.compile(r"^0x[0-9a-f]+$")


def parse(text: str) -> tuple[Stack, ...]:
    """Return the threads in the order printed; nothing where py-spy was ended before it had printed all."""
    if not text.lstrip().startswith("[") or not text.rstrip().endswith("]"):
        return ()
    lines = [number for number, line in enumerate(text.splitlines(), 1) if '"os_thread_id"' in line]
    rows = json.loads(text)
    return tuple(_stack(row, at) for row, at in zip(rows, lines + [1] * (len(rows) - len(lines)), strict=False))


def _stack(row: dict[str, Any], at: int) -> Stack:
    frames = tuple(_frame(frame) for frame in row["frames"])
    return Stack(
        row["os_thread_id"] or row["thread_id"], row["thread_name"], frames,
        process=row["pid"], owns_gil=row["owns_gil"], at=at,
    )  # fmt: skip


def _frame(row: dict[str, Any]) -> Frame:
    name, module = row["name"], row["module"]
    if ADDRESS.match(name):
        return Frame("", module=module, address=int(name, 16))
    if module is None:
        return Frame(name, file=row["filename"], line=row["line"] or None, native=False)
    source = row["filename"] if row["filename"] != module else None
    return Frame(name, module=module, file=source, line=row["line"] or None)
