"""Asks each trial once: replays what a log already holds, counts the answers, keeps the trace."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from harness.decide.statistics import Count
from harness.shrink.search.answers import Answer, Asked

S = TypeVar("S")
Trial = Callable[[S], Answer | None]
Log = Iterable[tuple[str, Answer]]

ENOUGH_OTHERS = 3  # so many other failures, and more of them than of telling answers: no use in asking on


def ignore(asked: Asked) -> None:
    """Record nothing."""


class Asker(Generic[S]):
    """A callable trial with its memory.

    `trial` answers for one subject, or returns None where no further trial may be had (the budget is spent, the user
    interrupts): from then on `is_spent`. `name` gives a subject its stable name, under which results are kept. `log`
    holds (name, answer) of earlier trials, in order: each stands for one trial that is not run again. `record` is told
    of each trial that was run.
    """

    def __init__(
        self, trial: Trial[S], name: Callable[[S], str], log: Log = (), record: Callable[[Asked], None] = ignore
    ) -> None:
        """Take the trial; nothing is asked yet."""
        self._trial, self.name, self._record = trial, name, record
        self._log: dict[str, deque[Answer]] = defaultdict(deque)
        for subject, answer in log:
            self._log[subject].append(Answer(answer))
        self._counts: Counter[tuple[str, Answer]] = Counter()
        self._deaths = self._survivors_of_dying = 0
        self.trace: list[Asked] = []
        self.is_spent = False

    def ask(self, subject: S, question: str, learn: Callable[[Answer], str]) -> Answer | None:
        """Return the answer of one more trial, None where none may be had.

        `learn` is called with the answer, once it is counted, and returns in plain words what it excluded.
        """
        name = self.name(subject)
        is_new = not self._log[name]
        answer = self._trial(subject) if is_new and not self.is_spent else self._replay(name)
        if answer is None:
            self.is_spent = True
            return None
        self._count(name, answer)
        asked = Asked(name, self.trials(subject), question, answer, learn(answer))
        self.trace.append(asked)
        if is_new:
            self._record(asked)
        return answer

    def deaths(self, subject: S) -> int:
        """Return how often a subject died."""
        return self._counts[self.name(subject), Answer.DIES]

    def survivors(self, subject: S) -> int:
        """Return how often a subject survived."""
        return self._counts[self.name(subject), Answer.SURVIVES]

    def trials(self, subject: S) -> int:
        """Return how often a subject was tried, other failures included."""
        return self.deaths(subject) + self.survivors(subject) + self._counts[self.name(subject), Answer.OTHER]

    def is_blocked(self, subject: S) -> bool:
        """Whether a subject mostly fails in another way: what is asked of it, it does not answer."""
        others = self._counts[self.name(subject), Answer.OTHER]
        return others >= ENOUGH_OTHERS and others > self.deaths(subject) + self.survivors(subject)

    @property
    def known(self) -> Count:
        """How often the subjects died that are known to die: all that is known of the failure rate."""
        return Count(self._deaths, self._deaths + self._survivors_of_dying)

    @property
    def others(self) -> tuple[str, ...]:
        """The ids of the trials that failed in another way, or were not resolved."""
        return tuple(asked.id for asked in self.trace if asked.answer is Answer.OTHER)

    def _replay(self, name: str) -> Answer | None:
        return self._log[name].popleft() if self._log[name] else None

    def _count(self, name: str, answer: Answer) -> None:
        is_first_death = answer is Answer.DIES and not self._counts[name, answer]
        self._counts[name, answer] += 1
        self._deaths += answer is Answer.DIES
        if is_first_death:
            self._survivors_of_dying += self._counts[name, Answer.SURVIVES]
        elif answer is Answer.SURVIVES:
            self._survivors_of_dying += self._counts[name, Answer.DIES] > 0
