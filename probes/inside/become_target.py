"""Become the target, as `python SCRIPT` or `python -m MODULE` would."""

from __future__ import annotations

import importlib.machinery
import io
import os
import pkgutil
import runpy
import sys
from typing import Optional


def prepare(command: list[str]) -> None:
    """Set `sys.argv`, `sys.orig_argv` and `sys.path`: for `-m MODULE args...`, `-c CODE args...`, `SCRIPT args...`."""
    if hasattr(sys, "orig_argv"):
        at = sys.orig_argv.index(sys.argv[0]) if sys.argv[0] in sys.orig_argv else 1
        sys.orig_argv[at:] = command
    sys.argv = ["-c", *command[2:]] if command[0] == "-c" else command[command[0] == "-m" :]
    if _is_archive(command):
        sys.path[: _has_place()] = [os.path.abspath(command[0])]
    elif _has_place():
        sys.path[0] = _place(command[0])


def run(command: list[str]) -> None:
    """Run the command, which has been prepared; returns when its main program returns."""
    run_module = runpy._run_module_as_main  # type: ignore[attr-defined]  # what `python -m` itself calls
    if command[0] == "-m":
        _clear_main(None, None)
        run_module(command[1])
    elif command[0] == "-c":
        main = _clear_main(None, importlib.machinery.BuiltinImporter)
        del main["__file__"], main["__cached__"]
        exec(compile(command[1], "<string>", "exec", dont_inherit=True), main)
    elif _is_archive(command):
        _clear_main(None, None)
        run_module("__main__", False)
    else:
        _run_script(_absolute(command[0]))


def _has_place() -> bool:
    """Whether `sys.path` begins with the program's place: not where Python runs isolated (-I) or safe (-P)."""
    return not (sys.flags.isolated or getattr(sys.flags, "safe_path", False))


def _place(word: str) -> str:
    if word == "-m":
        return os.getcwd()
    return "" if word == "-c" else os.path.dirname(os.path.realpath(word))


def _is_archive(command: list[str]) -> bool:
    """Whether the program is a folder or a zip file, which Python runs by the `__main__` in it."""
    return not command[0].startswith("-") and pkgutil.get_importer(command[0]) is not None


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
