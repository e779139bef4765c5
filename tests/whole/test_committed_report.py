"""The committed example: an inquest that ended long ago is judged again from its records, and nothing changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from observing import ROOT, harness

from harness import judge
from harness.report import evidence
from probes import records

EXAMPLE = ROOT / "reports" / "example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the example's folder, under its own name."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example"))


def committed() -> dict[str, Any]:
    """Return what was found when it ran."""
    found: dict[str, Any] = json.loads((EXAMPLE / records.EVIDENCE).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("part", ["verdict", "hypotheses", "bisect", "controls", "trials"])
def test_judged_again_it_finds_the_same(folder: Path, part: str) -> None:
    """Raw records are never rewritten, and each later stage is a pure function of the one before."""
    again = json.loads(json.dumps(evidence.to_json(judge.evidence(folder))))
    assert again[part] == committed()[part]


def test_reviewed_it_says_the_verdict_and_changes_no_record(folder: Path) -> None:
    """The exit code is that of a failure whose cause is named; not a byte of the folder changes."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = harness(folder.parent, "review", folder.name)
    assert (done.returncode, done.stderr) == (1, "")
    assert committed()["verdict"]["cause"] in done.stdout
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
