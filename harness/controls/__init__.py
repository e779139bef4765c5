"""In: programs with a planted fault. Out: controls.json, what is proven here. May import `judge` and all below it.

What fires on this machine is proven; what does not rules nothing out. To add one: a program in `programs/`, and its
line in `catalogue.py`. Importing this package loads nothing of the rest.

    catalogue.py             the faults, one line each
    run.py                   one control as a little inquest
    pool.py session.py reuse.py    several at a time; `harness controls`; those that an inquest asks for
    score.py store.py        what came of it, against what was planted; controls.json written
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.model import Control


def quick(out: Path, say: Callable[[str], None], keep_going: Callable[[], bool]) -> tuple[Control, ...]:
    """Return the quick controls: those in `out`/controls.json where they hold, else run now and written there."""
    from harness.controls.reuse import quick as run_or_reuse

    return run_or_reuse(out, say, keep_going)
