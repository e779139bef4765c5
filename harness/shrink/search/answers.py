"""The three answers of a trial, one row of a search's trace, and whether a search isolated its cause; pure."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any


class Answer(enum.StrEnum):
    """What a trial says of the failure that is followed.

    `other` is another failure, or a trial that the records do not resolve: it is neither a death nor a survivor.
    Source: the unresolved outcome of Zeller and Hildebrandt, IEEE TSE 28(2), 2002.
    """

    DIES = "dies"
    SURVIVES = "survives"
    OTHER = "other"


class Isolation(enum.StrEnum):
    """How a search ended.

    `not-isolated`: its confidence is under `LEAST_CONFIDENCE`. `not-monotone`: something milder dies while something
    harsher survives. `not-reproduced`: what was to be shrunk never died.
    """

    ISOLATED = "isolated"
    NOT_ISOLATED = "not-isolated"
    NOT_MONOTONE = "not-monotone"
    NOT_REPRODUCED = "not-reproduced"


LEAST_CONFIDENCE = 0.66  # what is less sure than two to one is not called isolated


@dataclasses.dataclass(frozen=True)
class Asked:
    """One trial of a search: a row of its decision tree.

    `subject` is the stable name of what was tried (a cell's id), `repeat` counts its trials from 1; `question` and
    `excluded` are plain words: why it was tried, and what is known after it.
    """

    subject: str
    repeat: int
    question: str
    answer: Answer
    excluded: str

    @property
    def id(self) -> str:
        """The trial's name within its search, which is also a path."""
        return f"{self.subject}/{self.repeat}"

    @property
    def entry(self) -> tuple[str, Answer]:
        """What a log keeps of it: enough for a resumed search not to ask again."""
        return self.subject, self.answer

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {"id": self.id, **dataclasses.asdict(self), "answer": self.answer.value}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Asked:
        """Return what `as_row` was made of."""
        return cls(row["subject"], row["repeat"], row["question"], Answer(row["answer"]), row["excluded"])
