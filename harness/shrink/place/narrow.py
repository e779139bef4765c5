"""Which stretch of a call's operators still dies alone: the one begun last, else a stretch found by bisection; pure.

The search receives a callable and knows nothing of processes. Any stretch can be run alone, since tensors that
operators before it made are made anew. It first tries the operator that was begun last: most often that is the answer,
and one question is all it takes. Then the whole call: if that survives, nothing within can be blamed. Then it moves the
beginning towards the end as long as the stretch dies, and after that the end towards the beginning.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Stretch:
    """Operators `first` to `last` of a call, both included, counted from 0."""

    first: int
    last: int

    def __len__(self) -> int:
        """How many operators it holds."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        """Return "operator 7" or "operators 0 to 7"."""
        return f"operator {self.first}" if len(self) == 1 else f"operators {self.first} to {self.last}"


Dies = Callable[[Stretch], bool | None]


@dataclasses.dataclass(frozen=True)
class Narrowed:
    """The smallest stretch that was seen to die (None: not even the whole call does), and whether all was asked."""

    stretch: Stretch | None
    finished: bool = True


def narrow(count: int, begun_last: int | None, dies: Dies) -> Narrowed:
    """Return the smallest dying stretch of `count` operators; `dies` answers None where it cannot be asked any more.

    `begun_last` is the operator that the process died in, None where it died in between. Asks at most
    2 + 2 * ceil(log2(count)) questions.
    """
    if not count:
        return Narrowed(None)
    end = begun_last if begun_last is not None else count - 1
    alone = dies(Stretch(end, end)) if begun_last is not None else False
    if alone or alone is None:
        return Narrowed(Stretch(end, end) if alone else None, bool(alone))
    whole = Stretch(0, end)
    answer = dies(whole) if len(whole) > 1 or begun_last is None else False
    if not answer:
        return Narrowed(None, answer is not None)
    later = _bisect(whole, dies, _from)
    return _bisect(later.stretch or whole, dies, _until) if later.finished and begun_last is None else later


def _bisect(dying: Stretch, dies: Dies, part: Callable[[Stretch, int], Stretch]) -> Narrowed:
    """Return the shortest `part` (of so many operators) of a stretch that dies; the whole is known to."""
    low, high = 0, len(dying)  # a part of `low` survives, as nothing does; one of `high` dies
    while high - low > 1:
        middle = (low + high) // 2
        answer = dies(part(dying, middle))
        if answer is None:
            return Narrowed(part(dying, high), False)
        low, high = (low, middle) if answer else (middle, high)
    return Narrowed(part(dying, high))


def _from(stretch: Stretch, length: int) -> Stretch:
    return Stretch(stretch.last - length + 1, stretch.last)


def _until(stretch: Stretch, length: int) -> Stretch:
    return Stretch(stretch.first, stretch.first + length - 1)
