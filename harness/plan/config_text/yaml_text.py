"""YAML: where each value stands, by the marks of PyYAML's nodes; nothing is constructed, so any tag may be there.

An alias is replaced where it stands, and a merged key is set beside the merge: the other keys keep what they have. A
value that has an anchor keeps it, and its aliases follow, as the file says.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from harness.plan.config_text.span import Span, Spans

SHARED = "has this key in a mapping that an alias shares with others, so it cannot be set for one of them"
MERGE = "tag:yaml.org,2002:merge"
PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*)*")
ALIAS = re.compile(r"[^*\n]*(\*[^\s,\[\]{}:]+)")
WIDEST = 1 << 30


def spell(value: Any) -> str | None:
    """Return the value in flow style, on one line, as it can stand anywhere."""
    text: str = yaml.safe_dump([value], default_flow_style=True, width=WIDEST, allow_unicode=True)
    return text.strip()[1:-1]


def spans(text: str) -> Spans:
    """Return every value's place. Raises yaml.YAMLError."""
    found: Spans = {}
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is not None:
        _walk(text, root, "", found)
    return found


def _walk(text: str, node: yaml.Node, prefix: str, found: Spans) -> None:
    if isinstance(node, yaml.MappingNode):
        _merged(text, node, prefix, found)
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                _note(text, value, key.end_mark.index, f"{prefix}{key.value}", found)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _note(text, item, node.start_mark.index, f"{prefix}{number}", found)


def _note(text: str, value: yaml.Node, after: int, name: str, found: Spans) -> None:
    """Note one value; one that begins before its key (`after`) is an alias to it."""
    if value.start_mark.index < after:
        alias = ALIAS.match(text, after)
        found[name] = Span(alias.start(1), alias.end(1)) if alias else SHARED
        _share(value, f"{name}.", found, 0)
        return
    found[name] = _place(text, value)
    _walk(text, value, f"{name}.", found)


def _place(text: str, node: yaml.Node) -> Span:
    start, end = node.start_mark.index, _end(text, node)
    properties = PROPERTIES.match(text, start)
    if properties and "&" in properties[0]:
        return Span(properties.end(), end, before="" if properties[0][-1].isspace() else " ")
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return Span(start, end, before="  ")  # further in than its key, in a line of its own
    return Span(start, end, before=" " if start == end else "")


def _end(text: str, node: yaml.Node) -> int:
    """Return where the value's own text ends: a block's mark lies at the next token, past comments."""
    own: int = node.end_mark.index
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return node.start_mark.index + len(text[node.start_mark.index : own].rstrip())
    pairs = node.value if isinstance(node, yaml.MappingNode) else [(node, item) for item in node.value]
    key, value = pairs[-1]
    after: int = key.end_mark.index if key is not node else node.start_mark.index
    alias = ALIAS.match(text, after) if value.start_mark.index < after else None
    return alias.end(1) if alias else _end(text, value)


def _share(node: yaml.Node, prefix: str, found: Spans, depth: int) -> None:
    """Note what lies below an alias as shared; an alias may hold itself, so only so deep."""
    if isinstance(node, yaml.MappingNode) and depth < 8:
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                found[f"{prefix}{key.value}"] = SHARED
                _share(value, f"{prefix}{key.value}.", found, depth + 1)


def _merged(text: str, node: yaml.MappingNode, prefix: str, found: Spans) -> None:
    """Note the keys that come by a merge (`<<`): one is set by a pair of its own, which wins over the merged one."""
    values = [value for key, value in node.value if isinstance(key, yaml.ScalarNode) and key.tag == MERGE]
    parts = [part for value in values for part in ([value] if isinstance(value, yaml.MappingNode) else value.value)]
    for key, value in (pair for part in parts for pair in part.value):
        start = node.start_mark.index + int(bool(node.flow_style))
        after = ", " if node.flow_style else "\n" + " " * node.start_mark.column
        found[f"{prefix}{key.value}"] = Span(start, start, before=f"{key.value}: ", after=after)
        _share(value, f"{prefix}{key.value}.", found, 0)
