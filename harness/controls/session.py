"""`harness controls`: runs what was asked for, shows it as it goes, and prints the table and the confusion matrix."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from harness.controls import reuse, score
from harness.controls.catalogue import CATALOGUE, Planted
from harness.controls.pool import Pool
from harness.controls.score import Score
from harness.facts import proven
from harness.launch.inquest_folder import make_folder
from harness.launch.interrupt import Interrupt
from harness.model import ConfigError, Status
from harness.report.live_display import Screen
from harness.report.user_errors import INTERRUPTED, NO_EVIDENCE
from harness.units import duration


class Board(Screen):
    """Shows what runs: on a terminal in a line that is redrawn, elsewhere only what has ended, a line each."""

    def __init__(self, console: Console, total: int) -> None:
        """Take the console and how many there are."""
        super().__init__(console)
        self._total, self._done = total, 0
        self._running: list[str] = []

    def began(self, planted: Planted) -> None:
        """One begins."""
        self._running.append(planted.id)
        self._draw()

    def ended(self, found: Score) -> None:
        """One has ended; its line stays."""
        self._running.remove(found.id)
        self._done += 1
        self.say(reuse.line(found))
        self._draw()

    def _draw(self) -> None:
        if self._live:
            text = f"{self._done} of {self._total} controls, {self.spent()}; running: {', '.join(self._running)}"
            self._live.update(Text(text, "bold"), refresh=True)


def run(out: Path, is_quick: bool, only: list[str] | None) -> int:
    """Run the controls that were asked for; return the exit code."""
    wanted = _asked_for(is_quick, only)
    console, began = Console(), time.monotonic()
    with Interrupt() as interrupt, Board(console, len(wanted)) as board:
        known = None if is_quick else _quick_set(out, board, interrupt)
        folder = make_folder(out, "controls")
        scores = Pool(folder, known, board.began, board.ended).run(wanted, lambda: not interrupt.asked)
    reuse.save_all(folder, scores, is_quick, at_the_top=not only and len(scores) == len(wanted))
    for part in report(scores, is_quick, time.monotonic() - began):
        console.print(part, soft_wrap=isinstance(part, Text))
    console.print(str(folder / proven.NAME), markup=False, highlight=False, soft_wrap=True)
    if interrupt.asked:
        return INTERRUPTED
    return 0 if score.is_good(scores, is_quick) else NO_EVIDENCE


def _asked_for(is_quick: bool, only: list[str] | None) -> tuple[Planted, ...]:
    known = [planted.id for planted in CATALOGUE]
    unknown = [name for name in only or () if name not in known]
    if unknown:
        raise ConfigError(f"--only {' '.join(unknown)}: there is no such control; there are: {', '.join(known)}")
    return reuse.chosen(only, is_quick)


def _quick_set(out: Path, board: Board, interrupt: Interrupt) -> Path:
    """Return the controls.json of the quick set: nothing can be ruled out in full without it."""
    reuse.quick(out, board.say, lambda: not interrupt.asked)
    return out / proven.NAME


def report(scores: list[Score], is_quick: bool, seconds: float) -> Iterator[RenderableType]:
    """Yield the table, what was not run, the confusion matrix and what it comes to."""
    ran = [found for found in scores if found.missing is None]
    yield _table(ran)
    yield Text("(= stands for: as expected)", "dim")
    for found in scores:
        if found.missing is not None:
            yield Text(f"not run: {found.id} ({found.expected}): {found.missing}", "yellow")
    yield Text("\nplanted (rows) and found (columns)", "bold")
    yield _matrix(ran)
    yield Text(_summary(ran, is_quick, seconds), "bold")


def _table(ran: list[Score]) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("planted", "expected", "found", "status", "proven", "time"):
        table.add_column(head, no_wrap=True)
    for found in ran:
        mark = Text("wrong", "red") if found.wrong else Text("yes", "green") if found.proven else Text("no", "red")
        seen = "=" if found.observed == found.expected else found.observed
        table.add_row(found.id, found.expected, seen, found.status, mark, f"{found.seconds:.1f} s")
    return table


def _matrix(ran: list[Score]) -> Table:
    """A column is called by the number of its row: ten families by name are wider than a terminal."""
    counts = score.confusion(ran)
    names = list(dict.fromkeys(name for pair in counts for name in pair))
    table = Table("", "", *(str(number) for number in range(1, len(names) + 1)), box=None, pad_edge=False)
    for number, expected in enumerate(names, 1):
        table.add_row(str(number), expected, *(str(counts.get((expected, name), "")) for name in names))
    return table


def _summary(ran: list[Score], is_quick: bool, seconds: float) -> str:
    faults = [found for found in ran if not found.is_healthy]
    healthy = len(ran) - len(faults)
    accused = sum(found.wrong for found in ran if found.is_healthy)
    wrong = sum(found.wrong for found in faults)
    established = sum(found.status == Status.ESTABLISHED for found in faults)
    goal = "" if is_quick else f" (goal: {score.GOAL:.0%})"
    return (
        f"\n{sum(found.proven for found in ran)} of {len(ran)} proven here; {established} of {len(faults)} faults "
        f"established{goal}; {wrong} wrongly named; {accused} of {healthy} healthy ones accused; {duration(seconds)}"
    )
