"""A program's own words, read with a bound: a log may have hundreds of megabytes, and a progress bar no line end."""

from __future__ import annotations

from collections import deque
from pathlib import Path

LINES = 4000
LINE_BYTES = 4000
PIECE_BYTES = 1 << 16


def last_lines(path: Path) -> tuple[str, ...]:
    """Return a text file's lines, so that line n is item n - 1; () where it is missing.

    Only the last LINES have a text, and of a long line only its end: what was said last tells most.
    """
    if not path.exists():
        return ()
    kept: deque[bytes] = deque(maxlen=LINES)
    count, line = 0, b""
    with open(path, "rb") as stream:
        while piece := stream.readline(PIECE_BYTES):
            line = (line + piece)[-LINE_BYTES - 1 :]
            if piece.endswith(b"\n"):
                kept.append(line)
                count, line = count + 1, b""
    kept.extend([line] if line else [])
    count += bool(line)
    return ("",) * (count - len(kept)) + tuple(item.decode("utf-8", "replace").rstrip("\r\n") for item in kept)
