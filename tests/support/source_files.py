"""The project's own files, as the laws read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = {"__pycache__", "build", "dist", "data", "reports", "node_modules"}


def python_files(*rooms: str) -> list[Path]:
    """Return the Python files of these rooms, or of the whole project."""
    tops = [ROOT / room for room in rooms] or [ROOT]
    found = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*.py"))]
    parts = [(path, path.relative_to(ROOT).parts) for path in found]
    return sorted(path for path, names in parts if not any(name in HIDDEN or name.startswith(".") for name in names))


def name_of(path: Path) -> str:
    """Return a file's path as a reader of the report knows it."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every module that a file imports by absolute name, at its line, functions and type checking included."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def is_below(name: str, package: str) -> bool:
    """Whether a dotted name is a package or lies in it."""
    return name == package or name.startswith(package + ".")


def module_name(path: Path) -> str:
    """Return the dotted name of a module or package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
