"""Typed reading of nested mappings: every problem is collected with its key path, none stops the reading."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any


class Fields:
    """One mapping of a configuration; `problems` is shared by all sections of it."""

    def __init__(self, raw: Mapping[str, Any], problems: list[str], path: str = "") -> None:
        """Take the mapping, the list that problems go to, and the key path that leads here."""
        self.raw = raw
        self.problems = problems
        self._path = path
        self._known: list[str] = []

    def problem(self, key: str, text: str) -> None:
        """Note what is wrong with a key."""
        self.problems.append(f"{self._path}{key}: {text}")

    def section(self, key: str, required: bool = False) -> Fields:
        """Return the mapping under `key`; an empty one where it is absent."""
        value = self.take(key, dict, {}, required=required)
        return Fields(value or {}, self.problems, f"{self._path}{key}.")

    def take(self, key: str, kind: type, default: Any, *, required: bool = False, least: float | None = None) -> Any:
        """Return the value of `key`, checked; the default where it is absent, null or wrong."""
        self._known.append(key)
        value = self.raw.get(key)
        if value is None:
            if required:
                self.problem(key, "is missing")
            return default
        if not _is(value, kind):
            self.problem(key, f"expected {_WORDS.get(kind, kind.__name__)}, got {value!r}")
            return default
        if least is not None and value < least:
            self.problem(key, f"must be at least {least:g}, got {value!r}")
            return default
        return float(value) if kind is float else value

    def finish(self) -> None:
        """Note every key that nobody has asked for."""
        for key in self.raw:
            if key not in self._known:
                near = difflib.get_close_matches(str(key), self._known, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(self._known)}"
                self.problem(str(key), "unknown key" + (hint if self._known else ""))


_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a mapping",
    bool: "true or false",
}


def _is(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def dotted_set(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set the value under a dotted key in place, making the mappings on the way (a scalar on the way is replaced)."""
    *parents, last = key.split(".")
    node = tree
    for part in parents:
        if not isinstance(node.get(part), dict):
            node[part] = {}
        node = node[part]
    node[last] = value
