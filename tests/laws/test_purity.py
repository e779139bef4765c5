"""`facts`, `decide` and `shrink/search` are pure: they read records, and start, write and wait for nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from source_files import name_of, python_files, tree_of

PURE = ("harness/facts", "harness/decide", "harness/shrink/search")
MODULES = {"subprocess", "socket", "multiprocessing", "threading", "tempfile", "shutil", "urllib", "http"}
CALLS = {  # by a module's name
    ("time", "sleep"), ("os", "kill"), ("os", "killpg"), ("os", "system"), ("os", "popen"), ("os", "fork"),
    ("os", "open"), ("os", "write"), ("os", "remove"), ("os", "unlink"), ("os", "rename"), ("os", "mkdir"),
    ("os", "makedirs"), ("os", "putenv"), ("signal", "signal"), ("records", "append"), ("records", "write_json"),
    ("records", "Appender"),
}  # fmt: skip
METHODS = {  # of a path, whatever it is called
    "write_text", "write_bytes", "mkdir", "unlink", "rmdir", "touch", "symlink_to", "hardlink_to", "rename", "chmod",
}  # fmt: skip
WRITING = set("wax+")


def breaches(tree: ast.Module) -> Iterator[str]:
    """Yield what a pure module must not do, as `line: what`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"{node.lineno}: {alias.name}" for alias in node.names if alias.name.split(".")[0] in MODULES)
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names if _is_forbidden(node.module or "", alias.name)]
            yield from (f"{node.lineno}: {node.module}.{name}" for name in names)
        if isinstance(node, ast.Attribute) and _names_a_call(node):
            yield f"{node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Call) and _writes(node):
            yield f"{node.lineno}: {ast.unparse(node.func)}"


def _is_forbidden(module: str, name: str) -> bool:
    return module.split(".")[0] in MODULES or (module.rpartition(".")[2], name) in CALLS


def _names_a_call(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CALLS


def _writes(node: ast.Call) -> bool:
    """Whether a call opens something for writing, or changes a path; a mode that is no constant counts as writing."""
    if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
        return True
    is_builtin = isinstance(node.func, ast.Name) and node.func.id == "open"
    if not is_builtin and not (isinstance(node.func, ast.Attribute) and node.func.attr == "open"):
        return False
    place = 1 if is_builtin else 0
    named = [keyword.value for keyword in node.keywords if keyword.arg == "mode"]
    modes = [*named, *node.args[place : place + 1]]
    return any(not isinstance(mode, ast.Constant) or bool(WRITING & set(str(mode.value))) for mode in modes)


@pytest.mark.parametrize("room", PURE)
def test_it_reads_and_does_no_more(room: str) -> None:
    """A report can be judged again from its folder alone, and nothing changes by it."""
    files = python_files(room)
    assert files != []
    assert [f"{name_of(path)}:{found}" for path in files for found in breaches(tree_of(path))] == []


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess", "def f():\n    from subprocess import run", "import socket", "import urllib.request",
        "import time\ntime.sleep(1)", "from time import sleep", "import os\nos.kill(1, 9)", "from os import kill",
        "open('x', 'w')", "open('x', mode='ab')", "open('x', 'r+')", "path.open('w')", "open('x', how)",
        "path.write_text('')", "path.mkdir()", "(path / 'x').unlink()", "path.parent.write_bytes(b'')",
        "from probes import records\nrecords.append(path, {})", "from probes.records import write_json",
        "from probes import records\nkeep = records.Appender",
    ],
)  # fmt: skip
def test_the_law_can_fail(code: str) -> None:
    """It sees what is planted."""
    assert list(breaches(ast.parse(code))) != []


@pytest.mark.parametrize(
    "code",
    ["open('x')", "open('x', 'rb')", "path.open()", "path.read_text()", "import os\nos.path.join('a')", "import time"],
)
def test_reading_is_no_breach(code: str) -> None:
    """What only reads may stay."""
    assert list(breaches(ast.parse(code))) == []
