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


def again(folder: Path) -> dict[str, Any]:
    """Return what is found now."""
    found: dict[str, Any] = json.loads(json.dumps(evidence.to_json(judge.evidence(folder))))
    return found


def test_judged_again_it_comes_to_the_same_verdict(folder: Path) -> None:
    """Raw records are never rewritten, and each later stage is a pure function of the one before."""
    before, after = committed(), again(folder)
    assert after["verdict"] == before["verdict"]
    assert after["controls"] == before["controls"]


def test_judged_again_each_finding_stands_for_the_same_reasons(folder: Path) -> None:
    """A later version may know more hypotheses and give more reasons; it takes back none of those that were given."""
    found = {finding["id"]: finding for finding in again(folder)["hypotheses"]}
    for before in committed()["hypotheses"]:
        after = found[before["id"]]
        assert (after["status"], after["gaps"]) == (before["status"], before["gaps"])
        texts = {reason["text"] for reason in after["reasons"]}
        assert [reason for reason in before["reasons"] if reason["text"] not in texts] == []


def test_judged_again_each_trial_ended_in_the_same_way(folder: Path) -> None:
    """Outcome, exit, place, peak, timings and signature; of facts, later versions read more.

    The place in the model is no part of the sameness of a death from outside any more: there it is chance.
    """
    before, after = (
        [{**trial, "facts": None, "signature": _timeless(trial)} for trial in one["trials"]]
        for one in (committed(), again(folder))
    )
    assert after == before


def _timeless(trial: dict[str, Any]) -> Any:
    signature = trial["signature"]
    return {**signature, "loose": "SIGKILL"} if trial["exit"]["signal"] == "SIGKILL" and signature else signature


def test_reviewed_it_says_the_verdict_and_changes_no_record(folder: Path) -> None:
    """The exit code is that of a failure whose cause is named; not a byte of the folder changes."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = harness(folder.parent, "review", folder.name)
    assert (done.returncode, done.stderr) == (1, "")
    assert committed()["verdict"]["cause"] in done.stdout
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
