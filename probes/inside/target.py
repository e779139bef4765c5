"""Become the target, as `python SCRIPT` or `python -m MODULE` would."""

from __future__ import annotations

import importlib.machinery
import io
import os
import runpy
import sys
from typing import Optional


def run(command: list[str]) -> None:
    """Run `-m MODULE args...`, `-c CODE args...` or `SCRIPT args...`; returns when its main program returns."""
    if command[0] == "-m":
        sys.argv = command[1:]
        sys.path[0] = os.getcwd()
        _clear_main(None, None)
        runpy._run_module_as_main(command[1])  # type: ignore[attr-defined]  # what `python -m` itself calls
    elif command[0] == "-c":
        sys.argv = ["-c", *command[2:]]
        sys.path[0] = ""
        exec(compile(command[1], "<string>", "exec", dont_inherit=True), _clear_main(None, None))
    else:
        sys.argv = command
        sys.path[0] = os.path.dirname(os.path.realpath(command[0]))
        _run_script(_absolute(command[0]))


def _absolute(path: str) -> str:
    """Spell a script's path as Python does in `__file__` and in tracebacks: on POSIX it keeps the dots."""
    return os.path.abspath(path) if os.name == "nt" else os.path.join(os.getcwd(), path)


def _run_script(path: str) -> None:
    main = _clear_main(path, importlib.machinery.SourceFileLoader("__main__", path))
    with io.open_code(path) as stream:
        source = stream.read()
    exec(compile(source, path, "exec", dont_inherit=True), main)


def _clear_main(path: Optional[str], loader: object) -> dict:
    """Give `__main__` the names that a fresh interpreter would give it, and no others; return its namespace."""
    main = sys.modules["__main__"].__dict__
    main.clear()
    main.update(
        __name__="__main__", __doc__=None, __package__=None, __loader__=loader, __spec__=None, __annotations__={},
        __builtins__=sys.modules["builtins"], __file__=path, __cached__=None,
    )  # fmt: skip
    return main
