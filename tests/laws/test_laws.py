"""The laws of CONTRIBUTING.md, held by reading the project's own files."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("harness", "probes", "trainer", "tests")
HIDDEN = {"__pycache__", "build", "dist", "data", "reports", "node_modules"}
HEAVY = {"torch", "torchvision", "numpy", "PIL"}
MOST_LINES = 300
FORBIDDEN = {
    "harness": {"trainer", "probes.inside", "tests"},
    "probes/outside": {"trainer", "harness", "probes.inside", "tests"},
    "probes/records.py": {"trainer", "harness", "probes.inside", "probes.outside", "tests"},
    "trainer": {"harness", "probes", "tests"},
}


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


def test_there_is_no_try() -> None:
    """An error surfaces where it happens: no try, no suppress, in any file of the project."""
    kinds = (ast.Try, ast.TryStar)
    breaches = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, kinds)
        or (isinstance(node, ast.Name) and node.id == "suppress")
        or (isinstance(node, ast.Attribute) and node.attr == "suppress")
        or (isinstance(node, ast.ImportFrom) and "suppress" in [alias.name for alias in node.names])
    ]
    assert breaches == []


@pytest.mark.parametrize("code", ["try:\n    a\nexcept E:\n    b\n", "try:\n    a\nfinally:\n    b\n", "x.suppress(E)"])
def test_the_law_against_try_can_fail(code: str) -> None:
    """The check sees what it is there to see."""
    nodes = list(ast.walk(ast.parse(code)))
    assert any(isinstance(node, ast.Try) or getattr(node, "attr", "") == "suppress" for node in nodes)


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_rooms_import_only_what_they_may(room: str) -> None:
    """The edges of the house: the two processes meet through files alone."""
    breaches = [
        f"{name_of(path)}:{line}: {name}"
        for path in python_files(room)
        for line, name in imports(path)
        if any(is_below(name, package) for package in FORBIDDEN[room])
    ]
    assert breaches == []


def test_the_supervisor_s_side_never_imports_torch() -> None:
    """Neither at the top of a file nor within a function; planted faults run in the child and are no part of it."""
    breaches = [
        f"{name_of(path)}:{line}: {name}"
        for path in python_files("harness", "probes")
        for line, name in imports(path)
        if name.split(".")[0] in HEAVY and not name_of(path).startswith("harness/controls/")
    ]
    assert breaches == []


def test_inside_is_standard_library_only() -> None:
    """What runs in the child imports the standard library and its own folder, by relative names."""
    breaches = [
        f"{name_of(path)}:{line}: {name}"
        for path in python_files("probes/inside")
        for line, name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names
    ]
    assert breaches == []


def test_inside_never_leaves_its_folder_by_relative_import() -> None:
    """One dot and no more."""
    nodes = [(path, node) for path in python_files("probes/inside") for node in ast.walk(tree_of(path))]
    breaches = [name_of(path) for path, node in nodes if isinstance(node, ast.ImportFrom) and node.level > 1]
    assert breaches == []


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=name_of)
def test_files_are_short(path: Path) -> None:
    """A file that is longer than 300 lines is two files."""
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_top_level_holds_the_rooms_alone() -> None:
    """The packages of the design, and no other."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"configs", "tests"}
    assert packages - {"tests", "configs"} == {"harness", "probes", "trainer"}
    assert list(ROOT.glob("*.py")) == []


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("harness.cli", {*HEAVY, "rich", "yaml", "psutil", "jsonschema"}),
        ("harness.commands", {*HEAVY, "jsonschema"}),
        ("harness.report.html.page", HEAVY),
        ("harness.report.console.review", HEAVY),
        ("probes.outside", {*HEAVY, "rich", "yaml"}),
    ],
)
def test_imports_stay_light(module: str, forbidden: set[str]) -> None:
    """A child's peak of memory starts at its parent's size: what is not imported does not show."""
    code = f"import sys, {module}\nprint(*sorted(set({sorted(forbidden)!r}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr, done.stdout.split()) == (0, "", [])


def test_python_39_can_read_what_runs_inside() -> None:
    """The child's interpreter may be older than ours: no syntax newer than 3.9 in its files."""
    files = python_files("probes/inside")
    assert files != []
    for path in files:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))
