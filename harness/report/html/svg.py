"""The few SVG shapes that the charts are made of, and round axis ticks; lengths in the drawing's own units; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from harness.report.html.tags import tag, words

WIDTH = 960
Point = tuple[float, float]


def drawing(height: float, title: str, *content: str) -> str:
    """Return a whole drawing, `WIDTH` wide; the title is what a screen reader says."""
    about = tag("title", words(title))
    return tag("svg", about, *content, viewBox=f"0 0 {WIDTH} {height:.0f}", role="img", aria_label=title)


def label(x: float, y: float, text: str, class_: str = "", anchor: str = "start") -> str:
    """Return one line of text, its baseline at y."""
    return tag("text", words(text), x=x, y=y, class_=class_ or None, text_anchor=None if anchor == "start" else anchor)


def line(start: Point, end: Point, class_: str) -> str:
    """Return a straight line."""
    return tag("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def curve(points: Iterable[Point], class_: str, title: str, **attributes: object) -> str:
    """Return a path through the points; browsers show the title under the pointer."""
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return tag("path", tag("title", words(title)), d=path, class_=class_, **attributes)


def cross(x: float, y: float, class_: str, arm: float = 5) -> str:
    """Return a diagonal cross: a death."""
    path = f"M{x - arm:.1f} {y - arm:.1f} l{2 * arm} {2 * arm} m0 {-2 * arm} l{-2 * arm} {2 * arm}"
    return tag("path", d=path, class_=class_)


def ticks(highest: float, about: int = 5) -> list[float]:
    """Return round values from 0 up to the first at or above the highest: steps of 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [step * number for number in range(math.ceil(highest / step - 1e-9) + 1)]


def spread(heights: Sequence[float], gap: float, bottom: float) -> list[float]:
    """Return the heights moved apart by at least `gap`, in the same order, none below `bottom` where there is room."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed: dict[int, float] = {}
    free = -math.inf
    for index in order:
        placed[index] = max(heights[index], free)
        free = placed[index] + gap
    limit = bottom
    for index in reversed(order):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - gap
    return [placed[index] for index in range(len(heights))]
