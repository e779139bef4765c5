"""Asking each trial once."""

from __future__ import annotations

import json

import pytest

from harness.decide.statistics import Count
from harness.shrink.search.answers import Answer, Asked
from harness.shrink.search.asker import Asker

DIES, SURVIVES, OTHER = Answer.DIES, Answer.SURVIVES, Answer.OTHER


def asker_of(answers: str, log: tuple[tuple[str, Answer], ...] = ()) -> Asker[str]:
    """Return an asker whose trials end as the letters say: d, s, o; then none may be had."""
    kinds = {"d": DIES, "s": SURVIVES, "o": OTHER}
    left = iter(answers)
    return Asker(lambda subject: kinds.get(next(left, "")), str, log)


def ask(asker: Asker[str], subjects: str) -> list[Answer | None]:
    """Ask one subject after the other; a letter is a subject."""
    return [asker.ask(subject, "?", lambda answer: f"after {answer}") for subject in subjects]


class TestAsked:
    """One row of the trace."""

    @pytest.mark.parametrize("answer", list(Answer))
    def test_comes_back_from_json(self, answer: Answer) -> None:
        """A row is JSON, and all of it is in the row."""
        asked = Asked("threads=2", 3, "does it die?", answer, "nothing")
        row = json.loads(json.dumps(asked.as_row()))
        assert Asked.from_row(row) == asked
        assert (row["id"], row["answer"], asked.entry) == ("threads=2/3", answer.value, ("threads=2", answer))


class TestCounts:
    """What is known of a subject."""

    def test_counts_and_trace(self) -> None:
        """Each answer where it belongs, and a row for each."""
        asker = asker_of("dsoss")
        assert ask(asker, "aaabb") == [DIES, SURVIVES, OTHER, SURVIVES, SURVIVES]
        assert (asker.deaths("a"), asker.survivors("a"), asker.trials("a"), asker.survivors("b")) == (1, 1, 3, 2)
        assert [asked.id for asked in asker.trace] == ["a/1", "a/2", "a/3", "b/1", "b/2"]
        assert asker.trace[2] == Asked("a", 3, "?", OTHER, "after other")
        assert asker.others == ("a/3",)

    @pytest.mark.parametrize(
        ("answers", "subjects", "known"),
        [
            ("ss", "ab", Count(0, 0)), ("ssd", "aaa", Count(1, 3)), ("ssds", "aaaa", Count(1, 4)),
            ("sdsd", "abba", Count(2, 4)), ("dod", "aaa", Count(2, 2)), ("dss", "abb", Count(1, 1)),
        ],
    )  # fmt: skip
    def test_rate_is_that_of_what_died(self, answers: str, subjects: str, known: Count) -> None:
        """Survivors count once their subject has died, before or after; other failures never do."""
        asker = asker_of(answers)
        ask(asker, subjects)
        assert asker.known == known

    @pytest.mark.parametrize(
        ("answers", "blocked"), [("oo", False), ("ooo", True), ("oooss", True), ("ooosss", False), ("ododoo", True)]
    )
    def test_mostly_another_failure_blocks(self, answers: str, blocked: bool) -> None:
        """Three, and more than the telling answers."""
        asker = asker_of(answers)
        ask(asker, "a" * len(answers))
        assert asker.is_blocked("a") == blocked


class TestLog:
    """Replaying."""

    def test_each_entry_stands_for_one_trial(self) -> None:
        """In its subject's order; then real trials go on, and only those are recorded."""
        recorded: list[Asked] = []
        log = [("a", SURVIVES), ("b", OTHER), ("a", DIES)]
        asker = Asker(lambda subject: SURVIVES, str, log, recorded.append)
        assert ask(asker, "aaab") == [SURVIVES, DIES, SURVIVES, OTHER]
        assert [asked.id for asked in recorded] == ["a/3"]

    def test_reads_plain_words(self) -> None:
        """A log that was JSON holds words."""
        assert ask(asker_of("", (("a", "dies"),)), "a")[0] is DIES  # type: ignore[arg-type]


class TestBudget:
    """No further trial."""

    def test_is_spent_for_good(self) -> None:
        """Then nothing is tried, counted or traced."""
        asker = asker_of("d")
        assert ask(asker, "aaa") == [DIES, None, None]
        assert (asker.is_spent, len(asker.trace), asker.trials("a")) == (True, 1, 1)

    def test_a_spent_budget_is_not_asked_again(self) -> None:
        """The trial is not even called."""
        calls: list[str] = []
        asker = Asker(lambda subject: calls.append(subject), str)
        ask(asker, "abc")
        assert calls == ["a"]
