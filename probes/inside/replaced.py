"""Leads the Python that takes this process over (os.exec*) through the boot: the same process, so the same trial.

Its records go on in the same folder. What takes over and is no Python, or is another Python, is not observed: the call
is recorded (`kills`), and no later start, which is how a reader tells.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from . import leading
from .lines import RecordFolder

HOW = "exec"


def watch(spec_path: str, folder: RecordFolder) -> None:
    """Lead from now on. `os.execl`, `os.execvp` and their like all end in one of the two functions."""
    for name in ("execv", "execve"):
        if hasattr(os, name) and os.name == "posix":
            _stand_in(name, lambda words: _led(words, spec_path, folder.path))


def _led(words: list, spec_path: str, folder: str) -> list:
    return leading.led(words, spec_path, HOW, folder=folder) if folder else words


def _stand_in(name: str, lead: Callable[[list], list]) -> None:
    original = getattr(os, name)

    @functools.wraps(original)
    def stand_in(path: Any, argv: Any, *env: Any, **named: Any) -> Any:
        environment = named.get("env", env[0] if env else None)
        words = leading.as_words(argv)
        is_path = isinstance(path, (str, bytes, os.PathLike))
        if words and is_path and leading.is_this_python(os.fsdecode(path), environment):
            argv = lead(words)
        return original(path, argv, *env, **named)

    setattr(os, name, stand_in)
    setattr(sys.modules[original.__module__], name, stand_in)
