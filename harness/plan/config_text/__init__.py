"""In: a configuration's text (YAML, JSON, TOML). Out: the text with single values set. May import only its own folder.

Every byte outside of the value stays as it is: a program's own configuration may hold comments, custom tags and an
order that means something; none of it is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.plan.config_text import json_text, toml_text, yaml_text
from harness.plan.config_text.span import Span, Spans

Format = tuple[Callable[[str], Spans], Callable[[Any], str | None]]
YAML: Format = (yaml_text.spans, yaml_text.spell)
FORMATS: dict[str, Format] = {
    ".yaml": YAML, ".yml": YAML, ".json": (json_text.spans, json_text.spell),
    ".toml": (toml_text.spans, toml_text.spell),
}  # fmt: skip


def read(path: Path) -> str:
    """Return the file's text, its line ends untouched; bytes that are no UTF-8 survive `write`."""
    return path.read_bytes().decode("utf-8", errors="surrogateescape")


def write(path: Path, text: str) -> None:
    """Write a text that `read` gave."""
    path.write_bytes(text.encode("utf-8", errors="surrogateescape"))


def problem(path: Path, key: str, values: tuple[Any, ...]) -> str | None:
    """Return why a dotted key of the file cannot be given these values; None where it can.

    Raises yaml.YAMLError where a YAML file is none.
    """
    if path.suffix.lower() not in FORMATS:
        return f"{path} is neither YAML, JSON nor TOML by its name ({', '.join(FORMATS)})"
    spans, spell = FORMATS[path.suffix.lower()]
    found = spans(read(path)).get(key, "has no such key")
    unspelt = next((value for value in values if spell(value) is None), None)
    if isinstance(found, str):
        return f"{path} {found}"
    return f"{path} cannot hold {unspelt!r}" if any(spell(value) is None for value in values) else None


def set_value(text: str, suffix: str, key: str, value: Any) -> str:
    """Return the text with the value of a dotted key replaced; a key that `problem` warns of is a KeyError."""
    spans, spell = FORMATS[suffix.lower()]
    span, spelt = spans(text)[key], spell(value)
    if isinstance(span, str) or spelt is None:
        raise KeyError(key)
    return text[: span.start] + span.before + spelt + span.after + text[span.end :]


__all__ = ["Span", "problem", "read", "set_value", "write"]
