"""The log: every line is written out at once, for the process may die natively at any moment."""

import logging
import sys
from pathlib import Path

from trainer import errors, progress

FORMAT = "%(asctime)s %(levelname)-8s %(message)s"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

log = logging.getLogger("trainer")


class TerminalHandler(logging.Handler):
    """Writes through the rich console, above a progress bar, without wrapping or colouring the lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record; rich flushes after each print."""
        progress.console().print(self.format(record), soft_wrap=True, markup=False, highlight=False)


def start(level: str) -> None:
    """Log to stderr from `level` on, in place of any earlier handler."""
    close(log)
    log.setLevel(level)
    log.propagate = False
    add(log, TerminalHandler() if progress.on_terminal() else logging.StreamHandler(sys.stderr))


def add_file(path: Path, mode: str) -> None:
    """Log to a file in UTF-8 as well; exceptions that nobody handles are kept in it too.

    A FileHandler flushes each record to the operating system, which keeps it when this process dies.
    """
    for earlier in errors.uncaught.handlers:  # a second run in this process must not write into the first one's log
        log.removeHandler(earlier)
    close(errors.uncaught)
    handler = logging.FileHandler(path, mode=mode, encoding="utf-8")
    add(log, handler)
    add(errors.uncaught, handler)


def add(logger: logging.Logger, handler: logging.Handler) -> None:
    """Attach a handler with the house format."""
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.addHandler(handler)


def close(logger: logging.Logger) -> None:
    """Detach and close all handlers of a logger."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
