"""The console review as an SVG picture, for a README."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from harness import units
from harness.model import Evidence
from harness.report.console.review import brief, show

FONT = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"


def svg(evidence: Evidence, path: Path, width: int = 100, whole: bool = True) -> Path:
    """Write the review, whole or brief, as one self-contained SVG, `width` columns wide, and return its path."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    show(evidence if whole else brief(evidence), console)
    title = f"harness review {units.printable(evidence.inquest.get('id', ''))}"
    path.write_text(offline(console.export_svg(title=title)), encoding="utf-8")
    return path


def offline(picture: str) -> str:
    """Return rich's SVG with the fonts of the reader's system instead of those that it would load from the network."""
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL).replace("Fira Code, monospace", FONT)
