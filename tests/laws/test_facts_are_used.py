"""Every fact that a reader gives reaches a person: a rule, the verdict, or an ordinary line of the report names it.

`review --trial` shows all facts and counts for nothing. Both sides are found in the code: what is given to `Fact(...)`
in harness/facts, and the strings of harness/decide and harness/report that ask for one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from source_files import ROOT, name_of, python_files, tree_of

from harness.facts import journal
from harness.facts import reading as facts

READERS, USERS = "harness/facts", ("harness/decide", "harness/report")
ASKS = ("fact", "value", "fact_of", "values_of")  # methods and helpers whose argument is a fact's name
CODE = "def f(folder):\n    return "


def given(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of the facts that a module makes; "?" for a name that cannot be read from the code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fact":
            yield from ((node.lineno, name) for name in _names(tree, node.args[0]) or ["?"])


def _names(tree: ast.Module, word: ast.expr) -> list[str]:
    """Return what a name can be: a literal, an entry of a literal table that it runs over, a caller's literal."""
    if isinstance(word, ast.Constant):
        return [str(word.value)]
    if not isinstance(word, ast.Name):
        return []
    return [*_of_tables(tree, word.id), *_of_callers(tree, word.id)]


def _of_tables(tree: ast.Module, word: str) -> list[str]:
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.comprehension)]
    return [entry for loop in loops for entry in _column(tree, loop.iter, _place(loop.target, word))]


def _place(target: ast.expr, word: str) -> int | None:
    """Return at which place of a loop's target a name stands: -1 where it is all of it, None where it does not."""
    if isinstance(target, ast.Tuple):
        return next((at for at, one in enumerate(target.elts) if isinstance(one, ast.Name) and one.id == word), None)
    return -1 if isinstance(target, ast.Name) and target.id == word else None


def _column(tree: ast.Module, table: ast.expr, place: int | None) -> list[str]:
    if place is None:
        return []
    if isinstance(table, ast.Name):
        bound = [it.value for it in ast.walk(tree) if isinstance(it, ast.Assign) and _binds(it, table.id)]
        return [entry for value in bound for entry in _column(tree, value, place)]
    rows = table.elts if isinstance(table, ast.Tuple) else []
    cells = rows if place < 0 else [row.elts[place] for row in rows if isinstance(row, ast.Tuple)]
    return [str(cell.value) for cell in cells if isinstance(cell, ast.Constant)]


def _binds(node: ast.Assign, word: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == word for target in node.targets)


def _of_callers(tree: ast.Module, word: str) -> list[str]:
    """Return the literals that a module's functions are called with where they take a fact's name."""
    helpers = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    takes = {one.name: names.index(word) for one in helpers if word in (names := [it.arg for it in one.args.args])}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    words = [call.args[takes[call.func.id]] for call in calls if _passes(call, takes)]
    return [str(it.value) for it in words if isinstance(it, ast.Constant)]


def _passes(call: ast.Call, takes: dict[str, int]) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in takes and len(call.args) > takes[call.func.id]


def used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of the strings that can ask for a fact: compared, passed on, or in a table; no key."""
    keys = {id(node.slice) for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
    for node in ast.walk(tree):
        for word in _asking(node):
            if isinstance(word, ast.Constant) and isinstance(word.value, str) and id(word) not in keys:
                yield word.lineno, word.value


def _asking(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") != "get":
        return list(node.args)
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.In):
        return [node.left, *node.comparators]
    return list(node.elts) if isinstance(node, ast.Tuple) else []


def asked(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of the facts that a module asks a trial for by name."""
    for node in ast.walk(tree):
        is_asking = isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in ASKS
        for word in node.args if isinstance(node, ast.Call) and is_asking else ():
            if isinstance(word, ast.Constant) and isinstance(word.value, str):
                yield word.lineno, word.value


def readers() -> dict[str, list[str]]:
    """Return every fact's name with the places that give it."""
    found: dict[str, list[str]] = {}
    for path in python_files(READERS):
        for line, name in given(tree_of(path)):
            found.setdefault(name, []).append(f"{name_of(path)}:{line}")
    return found


def users() -> dict[str, list[str]]:
    """Return every string that can ask for a fact with the places where it stands."""
    found: dict[str, list[str]] = {}
    for path in python_files(*USERS):
        for line, name in used(tree_of(path)):
            found.setdefault(name, []).append(f"{name_of(path)}:{line}")
    return found


def test_every_name_can_be_read_from_the_code() -> None:
    """Else nobody could say what the facts are."""
    assert readers().get("?", []) == []


def test_every_fact_is_used() -> None:
    """A fact that tells nobody anything goes away with its reader; any other stands in a sentence."""
    by = users()
    assert {name: places for name, places in readers().items() if name not in by} == {}


def test_every_fact_that_is_asked_for_is_given() -> None:
    """A rule that waits for a fact of another name never speaks."""
    known = readers()
    places = [
        f"{name_of(path)}:{line} {name}"
        for path in python_files(*USERS)
        for line, name in asked(tree_of(path))
        if name not in known
    ]
    assert places == []


def test_the_facts_of_real_trials_are_among_them() -> None:
    """What the code is read to give is what a real inquest's records give."""
    root = ROOT / "reports" / "example"
    names = {fact.name for trial in journal.trial_ids(root) for fact in facts.read(root, trial).facts}
    assert len(names) > 20
    assert names - readers().keys() == set()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (f"{CODE}[Fact('a_b', 1)]", ["a_b"]),
        (f"{CODE}[Fact(name, 1) for name in ('a', 'b')]", ["a", "b"]),
        ("TABLE = (('x', 'a'), ('y', 'b'))\ndef f():\n    return [Fact(name, key) for key, name in TABLE]", ["a", "b"]),
        ("def f():\n    return [g(1, 'a'), g(2, 'b')]\ndef g(one, name):\n    return Fact(name, one)", ["a", "b"]),
        (f"{CODE}[Fact(folder.name, 1)]", ["?"]),
        (f"{CODE}[Fact(f'a_{{folder}}', 1)]", ["?"]),
    ],
)  # fmt: skip
def test_the_law_sees_names(code: str, names: list[str]) -> None:
    """Literals, tables, helpers; and what it cannot read it says."""
    assert [name for _, name in given(ast.parse(code))] == names


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("trial.value('a')", ["a"]),
        ("fact.name == 'a'", ["a"]),
        ("LINES = (('a', 'text'),)", ["a", "text"]),
        ("row['a']", []),
        ("row.get('a')", []),
        ("'''a'''", []),
        ("f'a'", []),
    ],
)
def test_the_law_sees_uses(code: str, names: list[str]) -> None:
    """A key of a record and a text are no use of a fact."""
    assert sorted(name for _, name in used(ast.parse(code))) == sorted(names)
