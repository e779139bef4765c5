"""Planted, real faults, run through the same pipeline: what fires here is proven; what does not rules nothing out.

To add one: a program in `programs/`, and its line in `catalogue.py`. Importing this package loads nothing of the rest:
the judge reads controls.json through `store`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.model import Control


def quick(out: Path, say: Callable[[str], None], keep_going: Callable[[], bool]) -> tuple[Control, ...]:
    """Return the quick controls: those in `out`/controls.json where they hold, else run now and written there."""
    from harness.controls.reuse import quick as run_or_reuse

    return run_or_reuse(out, say, keep_going)
