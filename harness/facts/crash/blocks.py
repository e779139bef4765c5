"""Cut a text into blocks, each of which begins with a line that a rule knows."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Block:
    """One block: what the rule found in its first line, that line's number (from 1), and the lines after it."""

    head: re.Match[str]
    at: int
    lines: list[str]


def cut(lines: list[str], rule: re.Pattern[str]) -> list[Block]:
    """Return the blocks in their order; what stands before the first is left out."""
    heads = [(number, found) for number, line in enumerate(lines) if (found := rule.search(line))]
    ends = [*(number for number, _ in heads[1:]), len(lines)]
    return [
        Block(found, number + 1, lines[number + 1 : end]) for (number, found), end in zip(heads, ends, strict=False)
    ]
