"""JSON (RFC 8259): where each value stands, found token by token; items of a list are keys by their number."""

from __future__ import annotations

import json
import re
from typing import Any

from harness.plan.config_text.span import Span, Spans

SPACE = " \t\r\n\ufeff"
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+\w.]+|[{}\[\]:,]', re.DOTALL)


def spell(value: Any) -> str | None:
    """Return the value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def spans(text: str) -> Spans:
    """Return every value's place; where the text is no JSON, the values before that place."""
    return _Scanner(text).spans


class _Scanner:
    """Follows the nesting. `stack` holds an entry for each open container: its start, its bracket, the current key."""

    def __init__(self, text: str) -> None:
        self.spans: Spans = {}
        self._stack: list[list[Any]] = []
        self._wants_key = False
        end = 0
        for token in TOKEN.finditer(text):
            if text[end : token.start()].strip(SPACE):
                return
            self._take(token[0], token.start(), token.end())
            end = token.end()

    def _take(self, token: str, start: int, end: int) -> None:
        if token in "{[":
            self._stack.append([start, token, "" if token == "{" else 0])
            self._wants_key = token == "{"
        elif token in "}]":
            opened = self._stack.pop()[0] if self._stack else start
            self._record(opened, end)
        elif token == ",":
            self._next()
        elif token == ":":
            self._wants_key = False
        elif self._wants_key:
            self._stack[-1][2] = json.loads(token) if token[0] == '"' else token
        else:
            self._record(start, end)

    def _next(self) -> None:
        if self._stack and self._stack[-1][1] == "[":
            self._stack[-1][2] += 1
        self._wants_key = bool(self._stack) and self._stack[-1][1] == "{"

    def _record(self, start: int, end: int) -> None:
        if self._stack:
            self.spans[".".join(str(key) for _, _, key in self._stack)] = Span(start, end)
