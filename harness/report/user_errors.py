"""Errors as a user meets them: what the user can mend in one message without a traceback, all else in full."""

from __future__ import annotations

import sys
from types import TracebackType

USAGE, NO_EVIDENCE, INTERRUPTED = 2, 4, 130
MENDABLE = (
    "ConfigError",
    "YAMLError",
    "FileNotFoundError",
    "PermissionError",
    "NotADirectoryError",
    "FileExistsError",
    "IsADirectoryError",
)


def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Be `sys.excepthook`: exit 2 for what the user can mend, 130 for Ctrl-C, 4 for a fault of the harness itself.

    An uncaught error must not end in exit code 1, which says that a cause is named.
    """
    names = [base.__name__ for base in kind.__mro__]
    if any(name in MENDABLE for name in names):
        sys.stderr.write(f"harness: {error}\n")
        sys.exit(USAGE)
    if kind is KeyboardInterrupt:
        sys.stderr.write("harness: interrupted\n")
        sys.exit(INTERRUPTED)
    sys.__excepthook__(kind, error, trace)
    sys.exit(NO_EVIDENCE)
