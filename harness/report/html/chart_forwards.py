"""Forward times as SVG: one panel a module and call, one row a cell, a dot each forward, its median and p95; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness import units
from harness.report.content.long_tables import ForwardRow
from harness.report.html import svg
from harness.report.html.tags import shortened, tag, words

RIGHT, ROW, HEAD, FOOT = 250.0, 22.0, 34.0, 34.0
END = svg.WIDTH - RIGHT
LETTER, MOST_LETTERS, MOST_DOTS = 6.9, 46, 200


@dataclasses.dataclass(frozen=True)
class Scale:
    """Where the axis begins in the drawing, and its round values in seconds."""

    left: float
    ticks: list[float]

    def at(self, seconds: float) -> float:
        """Return where a time lies."""
        return self.left + seconds / self.ticks[-1] * (END - self.left)


@dataclasses.dataclass(frozen=True)
class Strip:
    """One row of a panel: the summary of one cell, and the single times in seconds where the records give them."""

    row: ForwardRow
    seconds: tuple[float, ...]


def chart(strips: Sequence[Strip]) -> str:
    """Return all panels beneath each other; the calls of one module share their scale."""
    panels: dict[tuple[str, int], list[Strip]] = {}
    for strip in strips:
        panels.setdefault((strip.row.module, strip.row.call), []).append(strip)
    parts, top = [], 0.0
    left = 24 + LETTER * min(MOST_LETTERS, max(len(strip.row.cell) for strip in strips))
    for (module, call), members in panels.items():
        same = [strip for strip in strips if strip.row.module == module]
        parts += [_panel(f"{module}, call {call}", members, Scale(left, _ticks(same)), top)]
        top += HEAD + ROW * len(members) + FOOT
    return svg.drawing(top, "Wall time of each forward, by module, call and cell", *parts)


def _ticks(strips: Sequence[Strip]) -> list[float]:
    every = [second for strip in strips for second in strip.seconds]
    every += [strip.row.p95_seconds or 0.0 for strip in strips] + [strip.row.median_seconds or 0.0 for strip in strips]
    return svg.ticks(max(every), 6)


def _panel(title: str, strips: Sequence[Strip], scale: Scale, top: float) -> str:
    bottom = top + HEAD + ROW * len(strips)
    parts = [svg.label(0, top + 18, title, "panel")]
    unit, name = (1.0, "s") if scale.ticks[-1] >= 2 else (0.001, "ms")
    for number, tick in enumerate(scale.ticks):
        x = scale.at(tick)
        text = f"{tick / unit:g}" + (f" {name}" if number == len(scale.ticks) - 1 else "")
        parts += [svg.line((x, top + HEAD - 6), (x, bottom), "grid"), svg.label(x, bottom + 15, text, "tick", "middle")]
    parts += [_strip(strip, scale, top + HEAD + ROW * (place + 0.5)) for place, strip in enumerate(strips)]
    return "".join(parts)


def _strip(strip: Strip, scale: Scale, y: float) -> str:
    row = strip.row
    parts = [
        svg.label(scale.left - 14, y + 4, shortened(row.cell, MOST_LETTERS), "cell", "end"),
        svg.line((scale.left, y), (END, y), "base"),
    ]
    if row.median_seconds is not None and row.p95_seconds is not None:
        parts += [svg.line((scale.at(row.median_seconds), y), (scale.at(row.p95_seconds), y), "range")]
        parts += [svg.line((scale.at(row.p95_seconds), y - 4), (scale.at(row.p95_seconds), y + 4), "p95")]
        parts += [svg.line((scale.at(row.median_seconds), y - 7), (scale.at(row.median_seconds), y + 7), "median")]
    step = max(1, len(strip.seconds) // MOST_DOTS)
    parts += [tag("circle", cx=scale.at(second), cy=y, r=3, class_="dot") for second in sorted(strip.seconds)[::step]]
    parts += [svg.cross(scale.left + 8, y, "mark died", 4)] if row.unfinished else []
    text = tag("title", words(row.cell)) + words(_figures(row))
    return "".join([*parts, tag("text", text, x=END + 16, y=y + 4, class_="died" if row.unfinished else "tick")])


def _figures(row: ForwardRow) -> str:
    times = f"median {units.duration(row.median_seconds)}, p95 {units.duration(row.p95_seconds)}"
    parts = [f"{row.unfinished} never ended"] if row.unfinished else []
    return "; ".join([*parts, times] if row.count else parts or ["none ended"])
