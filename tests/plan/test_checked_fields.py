"""Typed reading of mappings: all problems with their key paths."""

from __future__ import annotations

from typing import Any

import pytest

from harness.plan.checked_fields import (
    Fields,
    dotted_set,
)


class TestTake:
    """One value."""

    @pytest.mark.parametrize(
        ("value", "kind", "expected"),
        [(3, int, 3), (3, float, 3.0), (2.5, float, 2.5), ("a", str, "a"), ([1], list, [1]), (False, bool, False)],
    )
    def test_returns_what_fits(self, value: object, kind: type, expected: object) -> None:
        """A value of the kind comes back; a whole number does for a number, and becomes one."""
        problems: list[str] = []
        taken = Fields({"key": value}, problems).take("key", kind, None)
        assert (expected, type(expected), []) == (taken, type(taken), problems)

    @pytest.mark.parametrize(
        ("value", "kind", "words"),
        [
            (True, int, "expected a whole number, got True"),
            (True, float, "expected a number, got True"),
            (2.5, int, "expected a whole number, got 2.5"),
            ("3", float, "expected a number, got '3'"),
            (3, str, "expected a text, got 3"),
            ("a", list, "expected a list, got 'a'"),
            ([], dict, "expected a mapping, got []"),
            (0, bool, "expected true or false, got 0"),
        ],
    )
    def test_refuses_what_does_not(self, value: object, kind: type, words: str) -> None:
        """The default comes back and the problem is noted with its key."""
        problems: list[str] = []
        assert Fields({"key": value}, problems).take("key", kind, "default") == "default"
        assert problems == [f"key: {words}"]

    def test_absent_and_null_are_the_default(self) -> None:
        """Only a required key must be there."""
        problems: list[str] = []
        fields = Fields({"empty": None}, problems)
        assert (fields.take("empty", int, 5), fields.take("absent", int, 6)) == (5, 6)
        assert problems == []
        fields.take("absent", int, None, required=True)
        fields.take("empty", int, None, required=True)
        assert problems == ["absent: is missing", "empty: is missing"]

    def test_least(self) -> None:
        """A number below the least is a problem, the least itself is not."""
        problems: list[str] = []
        fields = Fields({"a": 1, "b": 0}, problems)
        assert (fields.take("a", int, 9, least=1), fields.take("b", int, 9, least=1)) == (1, 9)
        assert problems == ["b: must be at least 1, got 0"]


class TestSections:
    """Mappings in mappings."""

    def test_share_the_problems_and_lead_the_path(self) -> None:
        """A problem deep down has the whole path."""
        problems: list[str] = []
        Fields({"a": {"b": {"c": "x"}}}, problems).section("a").section("b").take("c", int, None)
        assert problems == ["a.b.c: expected a whole number, got 'x'"]

    def test_absent_section_is_empty(self) -> None:
        """What is not there has no keys and no problems."""
        problems: list[str] = []
        section = Fields({}, problems).section("a")
        section.finish()
        assert (dict(section.raw), problems) == ({}, [])


class TestFinish:
    """Keys that nobody asked for."""

    def test_near_misses_are_guessed(self) -> None:
        """A key close to a known one is met with a question, others with what is known."""
        problems: list[str] = []
        fields = Fields({"repeets": 1, "colour": 2, "name": "x"}, problems)
        fields.take("repeats", int, 1)
        fields.take("name", str, "")
        fields.finish()
        assert problems == [
            "repeets: unknown key; did you mean repeats?", "colour: unknown key; known here: repeats, name",
        ]  # fmt: skip

    def test_keys_that_are_no_text(self) -> None:
        """YAML allows a number as a key; it is unknown like any other."""
        problems: list[str] = []
        Fields({5: 1}, problems).finish()
        assert problems == ["5: unknown key"]


class TestDotted:
    """Keys with dots."""

    def test_set(self) -> None:
        """Mappings on the way are made, a scalar on the way is replaced, neighbours stay."""
        tree: dict[str, Any] = {"a": {"b": 1}, "d": 1}
        for key in ("a.c", "d.e.f", "g"):
            dotted_set(tree, key, 2)
        assert tree == {"a": {"b": 1, "c": 2}, "d": {"e": {"f": 2}}, "g": 2}
