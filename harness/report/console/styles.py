"""How the console looks: colours, section titles, badges, sources. Words carry what the colours say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.constrain import Constrain
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from harness import units
from harness.model import Outcome, Reason, Source, Status, VerdictStatus
from harness.report.content import summary

READABLE_WIDTH = 110
SOURCE = "cyan"
QUIET = "dim"
OUTCOMES = {
    Outcome.COMPLETED: "green",
    Outcome.DIED: "bold red",
    Outcome.HUNG: "bold magenta",
    Outcome.STOPPED: "blue",
    Outcome.UNRESOLVED: "yellow",
}
STATUSES = {
    Status.ESTABLISHED: "bold red",
    Status.SUPPORTED: "bold yellow",
    Status.RULED_OUT: "green",
    Status.OPEN: "yellow",
}
VERDICTS = {VerdictStatus.NO_FAILURE: "green", VerdictStatus.NAMED: "red", VerdictStatus.OPEN: "yellow"}


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Something that is drawn only when the console and its width in columns are known."""

    draw: Callable[[Console, int], Iterable[RenderableType]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it at the width that there is."""
        yield from self.draw(console, options.max_width)


def words(text: object, style: str = "") -> Text:
    """Return foreign text as it is: neither markup nor control codes in it have an effect."""
    return Text(units.printable(text).expandtabs(4), style=style, overflow="fold")


def joined(*parts: Text | str, separator: str = "") -> Text:
    """Return several texts as one."""
    return Text(separator, overflow="fold").join(part if isinstance(part, Text) else words(part) for part in parts)


def prose(text: Text | str, indent: int = 0) -> RenderableType:
    """Return a paragraph no wider than one reads with ease."""
    return Constrain(Padding.indent(text if isinstance(text, Text) else words(text), indent), READABLE_WIDTH)


def section(title: str, *more: Text) -> Iterator[RenderableType]:
    """Yield the title of a section, after an empty line."""
    yield Text("")
    parts = [words(title, "bold"), *(text for text in more if text.plain)]
    yield Rule(joined(*parts, separator="  "), align="left", style=QUIET)


def badge(status: Status | None, text: str) -> Text:
    """Return a status to be seen at a glance."""
    return words(text, STATUSES[status] if status else QUIET)


def where(sources: Iterable[Source]) -> Text:
    """Return sources as `file:line`, two spaces between them; a long path folds and is never cut."""
    return joined(*(words(source, SOURCE) for source in sources), separator="  ")


def item(text: Text | str, *beneath: Text) -> RenderableType:
    """Return one entry of a list, with what belongs to it beneath."""
    grid = Table.grid(padding=(0, 1), pad_edge=False)
    grid.add_column(width=1)
    grid.add_column(overflow="fold", max_width=READABLE_WIDTH)
    grid.add_row(words("-", QUIET), Group(text if isinstance(text, Text) else words(text), *beneath))
    return Padding.indent(grid, 2)


def reasons(found: Iterable[Reason]) -> Iterator[RenderableType]:
    """Yield each reason with its sources beneath."""
    for reason in found:
        yield item(summary.reason_text(reason), *([where(reason.evidence)] if reason.evidence else []))


def table(*headers: str, right: Iterable[str] = ()) -> Table:
    """Return an empty table: one line beneath the headers, cells that fold and are never cut."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, border_style=QUIET, header_style="bold")
    for header in headers:
        made.add_column(words(header), overflow="fold", justify="right" if header in right else "left")
    return made


def pairs(found: Mapping[str, str]) -> RenderableType:
    """Return names and values side by side; what is empty is left out."""
    grid = Table.grid(padding=(0, 2), pad_edge=False)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in found.items():
        if value:
            grid.add_row(words(name, QUIET), words(value))
    return Padding.indent(grid, 2)
