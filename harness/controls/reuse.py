"""What an inquest asks of the controls: those of its machine, run now or not long ago."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.controls import store
from harness.controls.catalogue import CATALOGUE, Planted
from harness.controls.pool import Pool
from harness.controls.score import Score
from harness.facts import proven
from harness.launch.inquest_folder import make_folder
from harness.model import Control

QUICK = tuple(planted for planted in CATALOGUE if planted.quick)


def quick(out: Path, say: Callable[[str], None], keep_going: Callable[[], bool]) -> tuple[Control, ...]:
    """Return the quick controls: those in `out`/controls.json where they hold, else run now and written there.

    `keep_going` is asked all the time and answers False to end (Ctrl-C); then only what has ended is returned, and
    nothing is written. Raises nothing of its own.
    """
    path = out / proven.NAME
    if store.holds(path, [planted.id for planted in QUICK]):
        return proven.load(path)
    say(f"{len(QUICK)} controls: planted faults, to see which probes fire on this machine")
    folder = make_folder(out, "controls")
    scores = Pool(folder, None, lambda _: None, lambda found: say(line(found))).run(QUICK, keep_going)
    whole = len(scores) == len(QUICK)
    save_all(folder, scores, quick=True, at_the_top=whole)
    return proven.load(path if whole else folder / proven.NAME)


def save_all(folder: Path, scores: list[Score], quick: bool, at_the_top: bool) -> None:
    """Write controls.json into the run's folder, and where it tells of a whole set, beside it for inquests to find."""
    store.save(folder / proven.NAME, scores, quick)
    if at_the_top:
        store.save(folder.parent / proven.NAME, scores, quick)


def line(found: Score) -> str:
    """Say a result in one plain line."""
    if found.missing is not None:
        return f"  not run     {found.id}: {found.missing}"
    word = "proven    " if found.proven else "NOT PROVEN"
    seen = found.observed if found.observed == found.expected else f"{found.expected}, seen: {found.observed}"
    status = f" ({found.status})" if found.status and not found.is_healthy else ""
    return f"  {word}  {found.id}: {seen}{status}, {found.trials} trials, {found.seconds:.1f} s"


def chosen(ids: list[str] | None, is_quick: bool) -> tuple[Planted, ...]:
    """Return the controls that were asked for, in the catalogue's order."""
    if ids:
        return tuple(planted for planted in CATALOGUE if planted.id in ids)
    return QUICK if is_quick else CATALOGUE
