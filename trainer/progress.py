"""Progress for people: a bar on a terminal, a plain log line at each tenth elsewhere."""

import logging
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

log = logging.getLogger(__name__)
Item = TypeVar("Item")


@cache
def console() -> "Console":
    """The one rich console, on stderr; the log writes through it too, so that lines and bar do not tear each other."""
    from rich.console import Console  # only a terminal needs rich

    return Console(stderr=True)


def on_terminal() -> bool:
    """Whether stderr is a terminal."""
    return sys.stderr.isatty()


def track(items: Iterable[Item], total: int, label: str, enabled: bool) -> Iterator[Item]:
    """The items as they come, their progress shown: a rich bar, plain log lines, or nothing if not `enabled`."""
    if not enabled:
        yield from items
    elif on_terminal():
        from rich.progress import track as bar

        yield from bar(items, description=label, total=total, console=console(), transient=True)
    else:
        yield from tenths(items, total, label)


def tenths(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """The items, with a log line each time another tenth of them is done."""
    for done, item in enumerate(items, start=1):
        yield item
        if done * 10 // total > (done - 1) * 10 // total:
            log.info("%s: %d of %d", label, done, total)
