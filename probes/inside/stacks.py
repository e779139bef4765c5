"""Gives every thread a stack of a certain size at least, whatever the program itself asks for.

A program that makes its own stacks small (`threading.stack_size`, `resource.setrlimit`, OMP_STACKSIZE in os.environ)
would undo from inside what was changed for it outside: here its call is heard, checked, answered, and without effect.
"""

from __future__ import annotations

import _thread
import os
import threading
import types
from typing import Any, Optional

from . import imports

VARIABLES = ("OMP_STACKSIZE", "GOMP_STACKSIZE", "KMP_STACKSIZE")


def enlarge(size: int) -> None:
    """Set the size for Python's threads; keep it, the limit and the variables from being made smaller."""
    threading.stack_size(size)
    _keep_threads(size)
    _keep_variables()
    imports.when_imported("resource", lambda resource: _keep_limit(resource, size))


def _keep_threads(least: int) -> None:
    original = _thread.stack_size
    told = [0]

    def stack_size(size: int = 0) -> int:
        original(size)  # what it would raise, it raises
        original(max(size, least))
        before, told[0] = told[0], size
        return before

    threading.stack_size = _thread.stack_size = stack_size


def _keep_variables() -> None:
    """os.environ hands each change on to these two; the process' own environment then stays as it was started."""
    names = {os.fsencode(name) for name in VARIABLES}
    for name in ("putenv", "unsetenv"):
        setattr(os, name, _unless_named(getattr(os, name), names))


def _unless_named(original: Any, names: set) -> Any:
    def changed(name: Any, *rest: Any) -> None:
        if os.fsencode(name) not in names:
            original(name, *rest)

    return changed


def _keep_limit(resource: types.ModuleType, least: int) -> None:
    originals: dict = {name: getattr(resource, name, None) for name in ("setrlimit", "prlimit")}

    def is_less(which: int, limits: Any) -> bool:
        return bool(which == resource.RLIMIT_STACK and 0 <= limits[0] < least)

    def setrlimit(which: int, limits: Any) -> None:
        if not is_less(which, limits):
            originals["setrlimit"](which, limits)

    def prlimit(pid: int, which: int, limits: Optional[Any] = None) -> Any:
        asks = (pid, which) if limits is None or is_less(which, limits) else (pid, which, limits)
        return originals["prlimit"](*asks)

    resource.setrlimit = setrlimit  # type: ignore[attr-defined]
    if originals["prlimit"] is not None:
        resource.prlimit = prlimit  # type: ignore[attr-defined]
