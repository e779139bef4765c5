"""Errors that a user can mend, and the hook that tells them in one message instead of a traceback."""

import functools
import logging
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from urllib.error import URLError

import yaml

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
LISTED_PROBLEMS = 20

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]

# Has a handler only while a training.log is open (see trainer.logs); never speaks on the console.
uncaught = logging.getLogger("trainer.uncaught")
uncaught.propagate = False


class ConfigError(Exception):
    """What the user asked for cannot be done, with every reason found, not only the first.

    `problems` are complete sentences; the message lists at most 20 of them and counts the others.
    """

    def __init__(self, headline: str, problems: Sequence[str] = ()) -> None:
        """Keep all problems, and a message that a terminal can hold."""
        self.headline = headline
        self.problems = list(problems)
        super().__init__("\n".join([headline, *(f"  - {line}" for line in shortened(self.problems))]))


def shortened(lines: Sequence[str]) -> list[str]:
    """The first 20 lines, followed by a count of those left out."""
    left_out = len(lines) - LISTED_PROBLEMS
    return [*lines[:LISTED_PROBLEMS], *([f"and {left_out} more"] if left_out > 0 else [])]


def explain(error: BaseException) -> tuple[str, int] | None:
    """The message and the exit code for an error that is the user's to mend; None for a defect of the program."""
    if isinstance(error, ConfigError):
        return f"error: {error}", EXIT_USAGE
    if isinstance(error, yaml.YAMLError):
        return f"error: this is not valid YAML\n{error}", EXIT_USAGE
    if isinstance(error, URLError):
        advice = "Use `weights: none`, or a local state_dict: `weights: path/to/file.pth`."
        return f"error: the pretrained weights could not be downloaded: {error}\n{advice}", EXIT_USAGE
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted.", EXIT_INTERRUPTED
    return None


def report(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None, following: Hook = sys.__excepthook__
) -> None:
    """An excepthook: one message for the user's errors; every other error goes on to the `following` hook."""
    explanation = explain(error)
    if explanation is None:
        if uncaught.handlers:
            uncaught.critical("Uncaught exception", exc_info=(kind, error, trace))
        following(kind, error, trace)
        return
    message, code = explanation
    if uncaught.handlers:
        uncaught.error(message)
    print(message, file=sys.stderr, flush=True)
    sys.exit(code)  # the interpreter honours a SystemExit from its excepthook, and still cleans up


def install_hook() -> None:
    """Put `report` before the hook in force, so that an observer which installed its own still sees the defects."""
    sys.excepthook = functools.partial(report, following=sys.excepthook)
