"""How the main function of a worker of `multiprocessing` is left: what leaves it is caught there, and gives a code."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from . import imports


def watch(around: Callable[[], Any]) -> None:
    """Have each worker's `run` run inside of `around()`, a context manager that sees what leaves it."""
    imports.when_imported("multiprocessing.process", lambda module: _watch_bootstrap(module, around))


def _watch_bootstrap(module: types.ModuleType, around: Callable[[], Any]) -> None:
    process: Any = module.BaseProcess
    original = process._bootstrap

    @functools.wraps(original)
    def _bootstrap(self: Any, *arguments: Any, **keys: Any) -> Any:
        run = self.run

        @functools.wraps(run)
        def observed() -> Any:
            with around():
                return run()

        self.run = observed  # in the worker alone: the parent has an object of its own
        return original(self, *arguments, **keys)

    process._bootstrap = _bootstrap
