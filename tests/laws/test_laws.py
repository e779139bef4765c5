"""The laws of CONTRIBUTING.md, held by reading the project's own files."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest
from source_files import ROOT, imports, is_below, name_of, python_files, tree_of

HEAVY = {"torch", "torchvision", "numpy", "PIL"}
FORBIDDEN = {
    "harness": {"trainer", "probes.inside", "tests"},
    "probes/outside": {"trainer", "harness", "probes.inside", "tests"},
    "probes/records.py": {"trainer", "harness", "probes.inside", "probes.outside", "tests"},
    "trainer": {"harness", "probes", "tests"},
}


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
