"""Where a value stands in a text."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Span:
    """The characters from `start` to `end` (exclusive) are the value; `before` and `after` go around a new one."""

    start: int
    end: int
    before: str = ""
    after: str = ""


Spans = dict[str, Span | str]  # dotted key -> where its value is, or why it cannot be set
