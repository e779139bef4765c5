"""The house: short files, nothing written twice, every room with a sign on its door and a place on the map."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from source_files import ROOT, name_of, python_files, tree_of

ROOMS = ("harness", "probes", "trainer", "tests")
MOST_LINES = 300
MEDIAN_LINES = (80, 200)
RUN = 8  # lines that are the same, and not blank
PROGRAMS = "harness/controls/programs/"  # each of them stands alone, as a target does


def packages(*rooms: str) -> list[Path]:
    """Return the folders that are packages."""
    return [path.parent for path in python_files(*rooms) if path.name == "__init__.py"]


def twice(files: Mapping[str, Iterable[str]]) -> list[str]:
    """Return where a run of lines stands that has stood before; imports, which every file needs, do not count."""
    seen: dict[tuple[str, ...], str] = {}
    found = []
    for name, text in files.items():
        lines = [(number, line.strip()) for number, line in enumerate(text, 1) if line.strip()]
        lines = [(number, line) for number, line in lines if not line.startswith(("import ", "from "))]
        for at in range(len(lines) - RUN + 1):
            run = tuple(line for _, line in lines[at : at + RUN])
            place = f"{name}:{lines[at][0]}"
            if seen.setdefault(run, place) != place:
                found.append(f"{seen[run]} ~ {place}")
    return found


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=name_of)
def test_files_are_short(path: Path) -> None:
    """A file that is longer than 300 lines is two files."""
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_a_room_is_no_corridor_of_tiny_files() -> None:
    """Half of the modules have more than 80 lines, half have less than 200."""
    modules = [path for path in python_files("harness", "probes") if path.name != "__init__.py"]
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in modules if PROGRAMS not in name_of(path)]
    assert MEDIAN_LINES[0] <= statistics.median(lengths) <= MEDIAN_LINES[1]


def test_nothing_is_written_twice() -> None:
    """What two files need has one home."""
    files = {name_of(path): path.read_text(encoding="utf-8").splitlines() for path in python_files(*ROOMS[:3])}
    assert twice(files) == []


def test_the_law_against_writing_twice_can_fail() -> None:
    """Eight lines, indented otherwise and with a blank one between; seven are let be."""
    lines = [f"line {number}" for number in range(RUN)]
    indented = ["something", *("    " + line for line in lines[:4]), "", *("    " + line for line in lines[4:])]
    assert twice({"a.py": lines, "b.py": indented}) == ["a.py:1 ~ b.py:2"]
    assert twice({"a.py": lines[1:], "b.py": indented}) == []


@pytest.mark.parametrize("folder", packages(*ROOMS[:3]), ids=name_of)
def test_every_room_has_a_sign_on_its_door(folder: Path) -> None:
    """Its docstring says what it is for."""
    text = ast.get_docstring(tree_of(folder / "__init__.py")) or ""
    assert len(text.split()) >= 8
    assert "TODO" not in text


@pytest.mark.parametrize("folder", packages("harness", "probes"), ids=name_of)
def test_a_sign_names_no_file_that_is_not_there(folder: Path) -> None:
    """A listing that has outlived a rename leads nowhere."""
    text = ast.get_docstring(tree_of(folder / "__init__.py")) or ""
    words = {word.strip("`.,;:()") for word in text.split()}
    named = {word for word in words if word.endswith(".py") and "..." not in word}
    lost = [name for name in named if not any((top / name).is_file() for top in (folder, ROOT))]
    assert [name for name in lost if not list((ROOT / "probes").glob(f"**/{name}"))] == []


def test_the_map_names_every_room() -> None:
    """CONTRIBUTING.md is where a newcomer looks."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = [name_of(folder) for folder in packages("harness", "probes", "trainer")]
    assert [room for room in rooms if f"`{room}/`" not in text] == []


def test_the_map_leads_to_files_that_are_there() -> None:
    """Every path that it names."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    quoted = text.split("`")[1::2]
    paths = [word for word in quoted if word.startswith(("harness/", "probes/", "tests/")) and "*" not in word]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_top_level_holds_the_rooms_alone() -> None:
    """The packages of the design, and no other."""
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found - {"tests", "configs"} == {"harness", "probes", "trainer"}
    assert list(ROOT.glob("*.py")) == []
