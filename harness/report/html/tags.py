"""HTML and SVG as text: what is foreign goes through `words`, all else is ours; pure."""

from __future__ import annotations

import html
from collections.abc import Iterable
from urllib.parse import quote

from harness import units
from harness.model import Source


def tag(name: str, *content: str, **attributes: object) -> str:
    """Return an element. `class_` stands for `class`, `_` in a name for `-`; an attribute of None is left out."""
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    head = " ".join([name, *(f'{key}="{words(_number(value))}"' for key, value in pairs)])
    return f"<{head}>{''.join(content)}</{name}>"


def words(text: object) -> str:
    """Return foreign text, harmless in content and in attributes."""
    return html.escape(units.printable(text), quote=True)


def link(source: Source) -> str:
    """Return `file:line` as a link to the record file, relative to the inquest's folder."""
    return tag("a", tag("code", breakable(str(source))), href=address(source.file))


def address(file: str) -> str:
    """Return a relative URL that stays inside the folder: no scheme, no host."""
    return "./" + quote(file.encode("utf-8", "replace").decode(), safe="/=,+~")


def breakable(text: str) -> str:
    """Return a path that may be broken after each of its signs, and is copied without the breaks."""
    return words(text).replace("/", "/<wbr>").replace(",", ",<wbr>")


def shortened(text: str, most: int) -> str:
    """Return text of at most so many signs, for labels in drawings; the whole is in the drawing's title."""
    return text if len(text) <= most else text[: max(1, most - 3)] + "..."


def table(headers: Iterable[str], rows: Iterable[Iterable[str]], class_: str | None = None) -> str:
    """Return a table that scrolls by itself where the page is narrow; headers are foreign text, cells are HTML."""
    head = tag("tr", *(tag("th", words(header), scope="col") for header in headers))
    body = (tag("tr", *(tag("td", cell) for cell in row)) for row in rows)
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body), class_=class_), class_="scroll")


def _number(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
