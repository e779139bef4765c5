"""Takes back what setting up has changed and a target could see by accident: paths, shadowed modules, descriptors.

A target may have a file of its own that is named as a module of the standard library (`random.py` beside a script is a
classic). It must be imported by the target just as it would be without us, whichever of them we have loaded.
"""

from __future__ import annotations

import os
import sys
import types

LIBRARY = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "")
FLOOR = 100  # our descriptors stand above it, so that the target's own get the numbers that they would get without us


class HighDescriptors:
    """While entered, every descriptor below the floor is taken, so that what is opened gets one above it."""

    def __init__(self) -> None:
        """Take nothing yet."""
        self._taken: list = []

    def __enter__(self) -> None:
        """Take them all, where the limit on open files is generous enough."""
        if os.name != "posix" or os.sysconf("SC_OPEN_MAX") < 2 * FLOOR:
            return
        while not self._taken or self._taken[-1] < FLOOR:
            self._taken.append(os.open(os.devnull, os.O_RDONLY))

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for descriptor in self._taken:
            os.close(descriptor)


def restore(before: dict) -> None:
    """Give `sys.path` and the cache of its finders back as `before` has them, without the boot's own place."""
    sys.path[:] = before["path"]
    here = os.path.dirname(os.path.abspath(__file__))
    for entry in list(sys.path_importer_cache):
        if entry not in before["cache"] or os.path.dirname(entry) == here or entry == here:
            del sys.path_importer_cache[entry]


def forget_shadowed(before: dict) -> None:
    """Forget each module that we have loaded and the target's path has another one of; ours keep working for us."""
    ours = {name.partition(".")[0] for name in set(sys.modules) - before["modules"]}
    cached = set(sys.path_importer_cache)
    for name in [name for name in ours if name in sys.modules and _is_shadowed(name, sys.modules[name])]:
        for part in [part for part in sys.modules if part == name or part.startswith(name + ".")]:
            del sys.modules[part]
    for entry in set(sys.path_importer_cache) - cached:
        del sys.path_importer_cache[entry]


def _is_shadowed(name: str, module: types.ModuleType) -> bool:
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
    specs = (finder.find_spec(name, None) for finder in finders)
    origin = getattr(next((spec for spec in specs if spec is not None), None), "origin", None)
    own = getattr(getattr(module, "__spec__", None), "origin", None)
    return origin not in (None, "built-in", "frozen", own) and not origin.startswith(LIBRARY)
