"""What a parent learns of its children's ends: the status that wait(2) gave it, which nobody can ask for again."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from . import imports
from .lines import Lines

NAMES = ("wait", "wait3", "wait4", "waitpid")
EXITED, KILLED, DUMPED = 1, 2, 3  # waitid(2): CLD_EXITED, CLD_KILLED, CLD_DUMPED


def watch(children: Lines) -> None:
    """Note every status from now on; the functions themselves answer as ever."""
    for name in NAMES:
        if hasattr(os, name):
            _stand_in(name, lambda result: _note_status(children, result[0], result[1]))
    if hasattr(os, "waitid"):
        _stand_in("waitid", lambda result: _note_info(children, result))
    imports.when_imported("subprocess", _use_in_subprocess)


def _stand_in(name: str, note: Callable[[Any], None]) -> None:
    original = getattr(os, name)

    @functools.wraps(original)
    def stand_in(*arguments: Any, **keys: Any) -> Any:
        result = original(*arguments, **keys)
        note(result)
        return result

    setattr(os, name, stand_in)
    setattr(sys.modules[original.__module__], name, stand_in)


def _note_status(children: Lines, pid: int, status: int) -> None:
    if pid > 0 and os.name == "posix" and os.WIFSIGNALED(status):
        children.write(event="ended", child=pid, code=None, signal=os.WTERMSIG(status))
    elif pid > 0 and os.name == "posix" and os.WIFEXITED(status):
        children.write(event="ended", child=pid, code=os.WEXITSTATUS(status), signal=None)


def _note_info(children: Lines, info: Any) -> None:
    if info is not None and info.si_code == EXITED:
        children.write(event="ended", child=info.si_pid, code=info.si_status, signal=None)
    elif info is not None and info.si_code in (KILLED, DUMPED):
        children.write(event="ended", child=info.si_pid, code=None, signal=info.si_status)


def _use_in_subprocess(module: Any) -> None:
    """Where `subprocess` was imported before us, it has kept the function itself."""
    kept: Any = getattr(module, "_del_safe", None)
    if hasattr(kept, "waitpid"):
        kept.waitpid = os.waitpid
