"""Call back when a module has been imported, without importing it: a finder that wraps the real loader once."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Callable
from typing import Optional

Callback = Callable[[types.ModuleType], None]


def when_imported(name: str, callback: Callback) -> None:
    """Call `callback(module)` right after the module's own code has run; at once where it is imported already."""
    if name in sys.modules:
        callback(sys.modules[name])
        return
    waiting = next((finder for finder in sys.meta_path if isinstance(finder, Watcher)), None)
    if waiting is None:
        waiting = Watcher()
        sys.meta_path.insert(0, waiting)  # no subclass: importlib.abc loads a great deal
    waiting.wanted.setdefault(name, []).append(callback)


class Watcher:
    """Finds nothing itself: asks the other finders, and wraps the loader of the modules that are waited for."""

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self.wanted: dict[str, list[Callback]] = {}

    def find_spec(
        self, name: str, path: object = None, target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        """Return the other finders' answer, its loader wrapped; None for modules that nobody waits for."""
        if name not in self.wanted:
            return None
        others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec"))
        found = (finder.find_spec(name, path, target) for finder in others)  # type: ignore[arg-type]
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            self._wrap(name, spec.loader)
        return spec

    def _wrap(self, name: str, loader: object) -> None:
        execute = loader.exec_module  # type: ignore[attr-defined]

        def exec_module(module: types.ModuleType) -> None:
            execute(module)
            if module.__name__ != name:  # a zip file's loader is one for all of its modules
                return
            for callback in self.wanted.pop(name, ()):
                callback(module)

        loader.exec_module = exec_module  # type: ignore[attr-defined]
