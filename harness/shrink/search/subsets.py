"""Subsets of differences: their names, their words, and whether one dies when it is asked often enough."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Generic, TypeVar

from harness.shrink.search.answers import Answer, Asked
from harness.shrink.search.asker import Asker, Log, Trial, ignore
from harness.shrink.search.survivors import doubt, silence

T = TypeVar("T")
Places = tuple[int, ...]  # a subset, as ascending places in the list of all differences

SPELLED_OUT = 4  # so many labels are read, more are counted


def subset_name(labels: Sequence[str]) -> str:
    """Return a stable name for a subset: how many differences it has, and a digest of their labels in their order."""
    digest = hashlib.sha256("\0".join(labels).encode()).hexdigest()[:12]
    return f"{len(labels)}-{digest}" if labels else "0"


class Subsets(Generic[T]):
    """All differences, and what is known of their subsets."""

    def __init__(
        self,
        differences: Sequence[T],
        labels: Sequence[str],
        trial: Trial[tuple[T, ...]],
        name: Callable[[tuple[T, ...]], str] | None = None,
        log: Log = (),
        record: Callable[[Asked], None] = ignore,
    ) -> None:
        """Take the differences in their order; `repeats` is to be set once the failure rate is known."""
        self._differences, self._labels, self._name = tuple(differences), tuple(labels), name
        named = lru_cache(maxsize=1024)(self._named)  # digests of thousands of labels are not for free
        self.asker: Asker[Places] = Asker(lambda places: trial(self.items(places)), named, log, record)
        self.every: Places = tuple(range(len(self._differences)))
        self.repeats = 1
        self.smallest: Places | None = None  # of those that died

    def items(self, places: Places) -> tuple[T, ...]:
        """Return the differences at some places, in their order."""
        return tuple(self._differences[place] for place in places)

    def labels(self, places: Places) -> tuple[str, ...]:
        """Return their words."""
        return tuple(self._labels[place] for place in places)

    def dies(self, places: Places, times: int = 1, question: str = "do these alone die: {}?") -> bool:
        """Whether a subset is seen to die in `times` times the usual repeats.

        It is not where it survives them, where it mostly fails in another way, and where no trial may be had.
        """
        words = question.format(self._words(places))
        self.ask(places, words, lambda: self.survivors(places) >= times * self.repeats)
        return self.has_died(places)

    def ask(self, places: Places, question: str, is_enough: Callable[[], bool]) -> None:
        """Ask until a subset dies, that is enough, it mostly fails in another way, or no trial may be had."""
        while not (self.has_died(places) or is_enough() or self.asker.is_blocked(places) or self.asker.is_spent):
            self.once(places, question)

    def once(self, places: Places, question: str) -> None:
        """Ask a subset one more time."""
        answer = self.asker.ask(places, question, partial(self._excluded, places))
        if answer is Answer.DIES and (self.smallest is None or len(places) < len(self.smallest)):
            self.smallest = places

    def has_died(self, places: Places) -> bool:
        """Whether a subset died: that is proof."""
        return self.asker.deaths(places) > 0

    def survivors(self, places: Places) -> int:
        """Return how often a subset survived."""
        return self.asker.survivors(places)

    def doubt(self, places: Places) -> float:
        """Return how probable it is that a subset dies that was not seen to."""
        return doubt(self.asker.known, self.survivors(places))

    def _named(self, places: Places) -> str:
        return self._name(self.items(places)) if self._name else subset_name(self.labels(places))

    def _excluded(self, places: Places, answer: Answer) -> str:
        if answer is Answer.OTHER:
            return "nothing: another failure is neither this death nor a survivor"
        if answer is Answer.DIES:
            is_all = places == self.every
            return "nothing new: it dies" if is_all else f"that more than {len(places)} of {len(self.every)} are needed"
        survived = self.survivors(places)
        odds = f"a dying set survives so often with a chance of {silence(self.asker.known, survived):.1%}"
        return f"that these are enough: {odds}" if survived >= self.repeats else f"nothing yet: {odds}"

    def _words(self, places: Places) -> str:
        labels = self.labels(places)
        if len(labels) > SPELLED_OUT:
            return f"{len(labels)} of {len(self.every)}, {labels[0]} to {labels[-1]}"
        return ", ".join(labels) or "none of them"


def halves(places: Places) -> tuple[Places, Places]:
    """Return both halves in order, the first the larger where they differ."""
    middle = (len(places) + 1) // 2
    return places[:middle], places[middle:]


def parts(places: Places, count: int) -> list[Places]:
    """Return `count` parts in order, as even as they can be."""
    ends = [len(places) * number // count for number in range(count + 1)]
    return [places[low:high] for low, high in zip(ends, ends[1:], strict=False)]


def joined(one: Places, other: Places) -> Places:
    """Return both subsets together, in the order of all differences."""
    return tuple(sorted({*one, *other}))


def without(places: Places, left_out: Iterable[int]) -> Places:
    """Return a subset without some of it."""
    out = set(left_out)
    return tuple(place for place in places if place not in out)
