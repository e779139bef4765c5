"""Commands as a reader can paste them into a shell; pure."""

from __future__ import annotations

import re

from harness.model import Evidence


def lines(command: str, width: int, continuation: str) -> list[str]:
    """Break a command between words, never inside quotes, so that it can still be pasted into a shell."""
    words = re.findall(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*'|[\"'])+", command)
    found = words[:1]
    for word in words[1:]:
        fits = len(found[-1]) + 1 + len(word) + len(continuation) <= width
        found[-1:] = [f"{found[-1]} {word}"] if fits else [found[-1] + continuation, f"  {word}"]
    return found


def continuation(evidence: Evidence) -> str:
    """Return what continues a command on the next line: PowerShell's sign on Windows, else the backslash."""
    return " `" if str(evidence.environment.get("platform", "")).startswith("Windows") else " \\"
