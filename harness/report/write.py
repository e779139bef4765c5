"""Everything that an inquest's folder gets once it is judged."""

from __future__ import annotations

from pathlib import Path

from harness.model import Evidence
from harness.report import evidence as evidence_json
from harness.report import markdown
from harness.report.html import page as html

MARKDOWN = "report.md"
HTML = "report.html"


def write_all(folder: Path, evidence: Evidence) -> list[Path]:
    """Write evidence.json, report.md and report.html, each so that a reader never sees half of it; return the paths."""
    return [
        evidence_json.write(folder, evidence),
        write_text(folder / MARKDOWN, markdown.render(evidence)),
        write_text(folder / HTML, html.render(evidence, folder)),
    ]


def write_text(path: Path, text: str) -> Path:
    """Write a text file by way of a sibling, and return its path; lone surrogates become their escapes."""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return draft.replace(path)
