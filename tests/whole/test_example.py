"""The worked example of the README: a trainer that has never heard of us, observed with one command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from observing import ROOT, harness

from probes import records

pytestmark = pytest.mark.torch
EXAMPLES = ROOT / "tests" / "examples"


def run(directory: Path, *settings: str) -> tuple[int, list[str], Path]:
    """Observe the example with one command; return the exit code, what was printed, and the trial's folder."""
    words = [word for setting in settings for word in ("--set", setting)]
    place = ("--python", sys.executable, "--cwd", EXAMPLES, "--out", "out")
    done = harness(directory, "run", "--once", *place, *words, "--", "siamese.py", "--batch-size", 8)
    lines = done.stdout.splitlines()
    assert done.stderr == "" and lines, done.stderr
    return done.returncode, lines, directory / lines[-1] / "trials" / "as-is" / "1"


def test_survives(tmp_path: Path) -> None:
    """Twelve forwards, its loader's worker observed too, and it is alive and well."""
    code, lines, folder = run(tmp_path, "survive=12 forwards")
    assert code == 0
    assert "alive and well after 12 forwards, and ended there by the harness" in " ".join(lines)
    assert [path.name for path in folder.glob("processes/*/process.json")] == ["process.json"]
    rows = [row.value for row in records.read_lines(folder / records.FORWARDS).rows]
    assert {(row["module"], row["call"]) for row in rows if row["depth"] == 1} >= {("resnet", 1), ("resnet", 2)}


@pytest.mark.skipif(sys.platform != "linux", reason="on Linux a crash has a signal")
def test_dies_and_its_place_is_named(tmp_path: Path) -> None:
    """A real SIGSEGV in the second pass through the backbone, planted from outside."""
    code, lines, folder = run(tmp_path, "plant.module=resnet", "plant.call=2")
    assert code == 3
    assert any(line.startswith("died") and "(SIGSEGV) in resnet, call 2 of step 1" in line for line in lines)
    assert (folder / records.NATIVE / "main" / records.FAULT).is_file()
