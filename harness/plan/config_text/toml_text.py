"""TOML 1.0: where each value stands; items of an array, and of an array of tables, are keys by their number."""

from __future__ import annotations

import json
import re
from typing import Any

from harness.plan.config_text.span import Span, Spans

KEY = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
DOTTED = rf"{KEY}(?:[ \t]*\.[ \t]*{KEY})*"
SKIPPED = re.compile(r"(?:[ \t\r\n\ufeff]|\#[^\n]*)*")
HEADER = re.compile(rf"(\[\[?)[ \t]*({DOTTED})[ \t]*\]\]?")
PAIR = re.compile(rf"({DOTTED})[ \t]*=[ \t]*")
STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})|' + r"'''.*?'''(?:'{0,2})|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'", re.DOTALL
)
BARE = re.compile(r"[^,\]}#\r\n]+")


def spell(value: Any) -> str | None:
    """Return the value as TOML; None where TOML has no such value (null)."""
    if isinstance(value, list | tuple):
        items = [spell(item) for item in value]
        return None if None in items else "[" + ", ".join(str(item) for item in items) + "]"
    if isinstance(value, dict):
        pairs = [(json.dumps(str(key), ensure_ascii=False), spell(item)) for key, item in value.items()]
        return None if any(item is None for _, item in pairs) else "{" + ", ".join(f"{k} = {v}" for k, v in pairs) + "}"
    if isinstance(value, float):
        return repr(value)
    return None if value is None else json.dumps(value, ensure_ascii=False)


def spans(text: str) -> Spans:
    """Return every value's place; where the text is no TOML, the values before that place."""
    return _Scanner(text).spans


class _Scanner:
    """Reads tables and pairs in their order; `at` is where it has got to."""

    def __init__(self, text: str) -> None:
        self.spans: Spans = {}
        self._text, self._at = text, 0
        self._counts: dict[str, int] = {}  # arrays of tables: how many tables so far
        table: tuple[str, ...] = ()
        while self._skip() < len(text):
            header = HEADER.match(text, self._at)
            if header:
                table, self._at = self._table(header), header.end()
            elif not self._pair(table):
                return

    def _skip(self) -> int:
        found = SKIPPED.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _table(self, header: re.Match[str]) -> tuple[str, ...]:
        """Return the path of a table; within an array of tables it is the newest one."""
        path: tuple[str, ...] = ()
        keys = _keys(header[2])
        for depth, key in enumerate(keys, 1):
            path += (key,)
            name = ".".join(path)
            if header[1] == "[[" and depth == len(keys):
                self._counts[name] = self._counts.get(name, 0) + 1
            if name in self._counts:
                path += (str(self._counts[name] - 1),)
        return path

    def _pair(self, table: tuple[str, ...]) -> bool:
        """Read `key = value`; False where there is none."""
        pair = PAIR.match(self._text, self._at)
        if pair is None:
            return False
        self._at = pair.end()
        return self._value((*table, *_keys(pair[1])))

    def _value(self, path: tuple[str, ...]) -> bool:
        start = self._at
        opening = self._text[start : start + 1]
        if opening in ("[", "{") and opening:
            self._at += 1
            whole = self._items(path) if opening == "[" else self._pairs(path)
        else:
            whole = self._scalar()
        self.spans[".".join(path)] = Span(start, self._at)
        return whole

    def _scalar(self) -> bool:
        found = STRING.match(self._text, self._at) or BARE.match(self._text, self._at)
        self._at += len(found[0].rstrip()) if found else 0
        return found is not None

    def _items(self, path: tuple[str, ...]) -> bool:
        number = 0
        while not self._ends("]"):
            if not self._value((*path, str(number))):
                return False
            number += 1
        return self._at <= len(self._text)

    def _pairs(self, path: tuple[str, ...]) -> bool:
        while not self._ends("}"):
            if not self._pair(path):
                return False
        return self._at <= len(self._text)

    def _ends(self, bracket: str) -> bool:
        """Step over a comma; whether the container is closed here (or the text is over)."""
        if self._text[self._skip() : self._at + 1] == ",":
            self._at += 1
            self._skip()
        closed = self._text[self._at : self._at + 1] in (bracket, "")
        self._at += closed
        return closed


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(_unquoted(key) for key in re.findall(KEY, dotted))


def _unquoted(key: str) -> str:
    return str(json.loads(key)) if key[0] == '"' else key.strip("'")
