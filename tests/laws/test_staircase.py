"""The staircase: a room imports those below it, never one above, and nothing goes in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from source_files import ROOT, imports, is_below, module_name, name_of, python_files

LEAVES = {"harness.model", "harness.units", "harness", "probes.records"}
FROM_PLAN = {*LEAVES, "probes.outside"}
FROM_FACTS = {*FROM_PLAN, "harness.plan", "harness.facts"}
FROM_DECIDE = {*FROM_FACTS, "harness.launch"}
FROM_SHRINK = {*FROM_DECIDE, "harness.decide", "harness.report"}
FROM_JUDGE = {*FROM_SHRINK, "harness.shrink"}
FROM_CONTROLS = {*FROM_JUDGE, "harness.judge"}
FROM_INQUEST = {*FROM_CONTROLS, "harness.controls"}
FROM_COMMANDS = {*FROM_INQUEST, "harness.inquest"}
MAY_IMPORT: dict[str, set[str]] = {
    "harness.__main__": {"harness.cli"},
    "harness.cli": {*FROM_COMMANDS, "harness.commands"},
    "harness.commands": FROM_COMMANDS,
    "harness.inquest": FROM_INQUEST,
    "harness.controls": FROM_CONTROLS,
    "harness.judge": FROM_JUDGE,
    "harness.shrink": FROM_SHRINK,
    "harness.report": {*FROM_DECIDE, "harness.decide"},
    "harness.decide": FROM_DECIDE,
    "harness.launch": FROM_FACTS,
    "harness.facts": FROM_PLAN,
    "harness.plan": FROM_PLAN,
    "harness.model": set(),
    "harness.units": set(),
    "harness": set(),
    "probes": set(),
    "probes.outside": {"probes.records"},
    "probes.records": set(),
    "probes.inside": set(),
}
PROGRAMS = "harness/controls/programs/"  # planted faults: targets, which import what they like
SMALL_ROOMS = {  # walls within a room
    "harness.shrink.search": {"harness.decide", *LEAVES},
    "harness.shrink.place": {*FROM_SHRINK},
    "harness.report.content": {"probes.records", "harness.model", "harness.units", "harness.report.content"},
}


def room_of(module: str) -> str:
    """Return the room of a module: the longest name of the table that it lies in."""
    return max((room for room in MAY_IMPORT if is_below(module, room)), key=len)


def edges() -> Iterator[tuple[str, str, str]]:
    """Yield each import of ours as (place, module, imported module)."""
    files = [path for path in python_files("harness", "probes") if not name_of(path).startswith(PROGRAMS)]
    known = {module_name(path) for path in files}
    for path in files:
        for line, name in imports(path):
            target = name if name in known else name.rpartition(".")[0]
            if target in known:
                yield f"{name_of(path)}:{line}", module_name(path), target


def upward(module: str, target: str) -> bool:
    """Whether this import leads to a room that is not below."""
    here, there = room_of(module), room_of(target)
    return here != there and there not in MAY_IMPORT[here]


def circles(arrows: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Return the circles among arrows, with what hangs on it: leaves are taken away until none is left."""
    left = {node: set(targets) for node, targets in arrows.items()}
    while True:
        leaves = {node for node, targets in left.items() if not targets & left.keys()}
        if not leaves:
            return tuple(sorted(left))
        left = {node: targets for node, targets in left.items() if node not in leaves}


def arrows(kind: str) -> dict[str, set[str]]:
    """Return who imports whom, among modules, or among rooms."""
    found: dict[str, set[str]] = {}
    for _, module, target in edges():
        here, there = (room_of(module), room_of(target)) if kind == "rooms" else (module, target)
        if here != there:
            found.setdefault(here, set()).add(there)
            found.setdefault(there, set())
    return found


def test_every_import_leads_downstairs() -> None:
    """Function-level imports and those for type checking included."""
    assert [f"{place}: {target}" for place, module, target in edges() if upward(module, target)] == []


@pytest.mark.parametrize("room", sorted(SMALL_ROOMS))
def test_walls_within_a_room(room: str) -> None:
    """A pure search knows no process; what all reports say knows no form."""
    breaches = [
        f"{place}: {target}"
        for place, module, target in edges()
        if is_below(module, room)
        and not is_below(target, room)
        and not any(is_below(target, allowed) for allowed in SMALL_ROOMS[room])
    ]
    assert breaches == []


@pytest.mark.parametrize("kind", ["modules", "rooms"])
def test_nothing_goes_in_a_circle(kind: str) -> None:
    """Neither between modules nor between rooms."""
    assert circles(arrows(kind)) == ()


def test_the_table_itself_is_a_staircase() -> None:
    """What it allows has no circle."""
    assert circles({room: allowed & MAY_IMPORT.keys() for room, allowed in MAY_IMPORT.items()}) == ()


def test_every_room_is_in_the_table() -> None:
    """A new room at the top gets a line of its own."""
    tops = {module_name(path) for path in python_files("harness") if len(path.relative_to(ROOT).parts) == 2}
    packages = {module_name(path) for path in (ROOT / "harness").glob("*/__init__.py")}
    assert {name for name in tops | packages if name != "harness"} <= MAY_IMPORT.keys()


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("harness.facts.reading", "harness.decide.study"),
        ("harness.launch.trial", "harness.decide.interventions"),
        ("harness.plan.cells", "harness.launch.trial"),
        ("harness.model", "harness.units"),
        ("probes.outside.probe", "harness.model"),
        ("harness.report.write", "harness.judge"),
    ],
)
def test_the_law_can_fail(module: str, target: str) -> None:
    """It sees an import that leads upstairs, and not its opposite."""
    assert upward(module, target)


def test_a_circle_is_seen() -> None:
    """Two that import each other, and one that hangs on them."""
    assert circles({"a": {"b"}, "b": {"a"}, "c": set(), "d": {"c"}}) == ("a", "b")
