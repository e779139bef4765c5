"""One grid of the matrix as SVG: coloured squares that say what they stand for; pure."""

from __future__ import annotations

from harness.report.content.grids import Grid, Square
from harness.report.html import svg
from harness.report.html.tags import shortened, tag, words

HEAD, GAP, LINE = 28.0, 6.0, 17.0


def chart(grid: Grid) -> str:
    """Return the drawing of one grid."""
    left = 20 + 7.5 * min(28, max(map(len, grid.rows)))
    width = min(170.0, (svg.WIDTH - left) / len(grid.columns))
    heights = [22 + LINE * max(len(square.lines) for square in row) for row in grid.squares]
    parts = [
        svg.label(left + width * place + 4, HEAD - 9, shortened(header, int(width / 7.2)), "head")
        for place, header in enumerate(grid.columns)
    ]
    top = HEAD
    for row_label, row, height in zip(grid.rows, grid.squares, heights, strict=True):
        parts += [svg.label(left - 12, top + height / 2 + 4, shortened(row_label, 28), "head", "end")]
        parts += [_square(one, left + width * place, top, (width, height)) for place, one in enumerate(row)]
        top += height
    return svg.drawing(top + 4, f"Outcomes by cell {grid.title}".strip(), *parts)


def _square(square: Square, x: float, y: float, extent: tuple[float, float]) -> str:
    outcome = square.outcome.value if square.outcome else "absent"
    width, height = extent
    title = tag("title", words(", ".join(trial.id for trial in square.trials) or "not run"))
    box = tag("rect", x=x, y=y, width=width - GAP, height=height - GAP, rx=4, class_=f"square {outcome}")
    first = y + (height - GAP) / 2 + 5 - LINE * (len(square.lines) - 1) / 2
    middle = x + (width - GAP) / 2
    lines = [
        svg.label(middle, first + LINE * place, shortened(text, int(width / 6.6)), f"on {outcome}", "middle")
        for place, text in enumerate(square.lines)
    ]
    return tag("g", title, box, *lines)
