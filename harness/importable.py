"""Whether a target can be started at all, asked without importing any of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


def problem_with(command: Sequence[str]) -> str | None:
    """Return why `python COMMAND` could not start, with the key path; None where it can."""
    if not command:
        return "target.command: is empty: give a script or -m and a module"
    if command[0] == "-m":
        return _problem_with_module(command[1]) if len(command) > 1 else "target.command: no module stands after -m"
    if command[0].startswith("-"):
        return f"target.command: {command[0]}: expected a script, or -m and a module"
    return None if Path(command[0]).is_file() else f"target.command: there is no script {command[0]}"


def _problem_with_module(name: str) -> str | None:
    """Walk down the packages by their search paths; nothing of them is executed, hence nothing heavy is loaded."""
    path: list[str] | None = [str(Path.cwd()), *sys.path]
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for depth in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: depth + 1]), path)
        if spec is None:
            return f"target.command: there is no module {name}"
        path = list(spec.submodule_search_locations or ())
    if path and PathFinder.find_spec(f"{name}.__main__", path) is None:
        return f"target.command: {name} is a package without __main__.py, so `python -m {name}` cannot run it"
    return None
