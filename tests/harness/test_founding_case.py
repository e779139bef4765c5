"""The founding case, planted and shrunk, and the smoke run: the whole program with the real trainer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from observing import ROOT, harness

from harness.report import evidence as evidence_json
from probes import records

pytestmark = pytest.mark.torch
SECONDS = 240.0
SMALL = (
    "factors.batch_size=[1,4]", "settings.backbone=resnet18", "settings.image_size=64", "settings.max_steps=2",
    "expect.steps=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], dict[str, Any], Path]:
    """Run the founding case once, in a directory of its own; return how it ended, evidence.json and the folder."""
    directory = tmp_path_factory.mktemp("founding")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    plan = ROOT / "configs" / "silent_exit.yaml"
    done = harness(directory, "run", plan, *settings, "--out", directory / "out", seconds=SECONDS)
    assert "Traceback" not in done.stderr, done.stderr
    folder = Path(done.stdout.splitlines()[-1])
    data: dict[str, Any] = json.loads((folder / records.EVIDENCE).read_text(encoding="utf-8"))
    return done, data, folder


class TestFoundingCase:
    """The log ends after the first of two backbone forwards, and nothing says why."""

    def test_fails_in_one_cell_only(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """SIGSEGV at 2 threads and batch size 4; the three other cells complete."""
        ended = {trial["id"]: (trial["outcome"], trial["exit"]["signal"]) for trial in case[1]["trials"]}
        assert ended == {
            "threads=2,batch_size=4/1": ("died", "SIGSEGV"),
            "threads=1,batch_size=1/1": ("completed", None),
            "threads=1,batch_size=4/1": ("completed", None),
            "threads=2,batch_size=1/1": ("completed", None),
        }

    def test_point_of_death_is_the_second_backbone_call(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """In the first step, in the forward."""
        dead = next(trial for trial in case[1]["trials"] if trial["outcome"] == "died")
        assert dead["last_event"] == {
            "epoch": 1, "step": 1, "phase": "forward", "module": "backbone", "call": 2,
        }  # fmt: skip

    def test_log_ends_as_the_report_said(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """The last words are of the second image's forward; stderr has no Python traceback."""
        folder = case[2] / "trials" / "threads=2,batch_size=4" / "1"
        printed = (folder / records.STDERR).read_text() + (folder / records.STDOUT).read_text()
        assert "Forward: Starting backbone for img2..." in printed
        assert "Forward: Got feat2" not in printed
        assert "Traceback" not in printed

    def test_memory_has_numbers(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """Headroom at death, its limit and its name are known, with sources."""
        dead = next(trial for trial in case[1]["trials"] if trial["outcome"] == "died")
        facts = {fact["name"]: fact for fact in dead["facts"]}
        assert facts["headroom_bytes"]["value"] > 0
        assert facts["memory_limit_bytes"]["value"] > facts["headroom_bytes"]["value"] > 0
        assert dead["peak_rss_bytes"] > 100 << 20
        assert all(facts[name]["sources"] for name in ("headroom_bytes", "memory_limit_name", "peak_rss_bytes"))

    def test_verdict_is_open_and_says_what_is_next(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """One trial a cell names no cause: exit code 3, threading supported, experiments for both questions."""
        done, data, folder = case
        status = {finding["id"]: finding["status"] for finding in data["hypotheses"]}
        assert (done.returncode, data["verdict"]["status"], data["verdict"]["cause"]) == (3, "open", None)
        assert status["threading-fault"] == "supported"
        assert status["memory-exhaustion"] != "established"
        assert len(data["verdict"]["next_experiments"]) >= 2
        assert (folder / "report.md").is_file() and (folder / "report.html").is_file()

    def test_evidence_is_valid(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """By the schema that is part of the product."""
        jsonschema.Draft202012Validator(evidence_json.schema()).validate(case[1])


class TestSmoke:
    """`harness smoke`, as continuous integration calls it."""

    def test_is_green_with_junit(self, tmp_path: Path) -> None:
        """Exit code 0, one test case without failure, within its minute."""
        done = harness(tmp_path, "smoke", "--junit", "junit.xml", "--out", "out", seconds=SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        root = ElementTree.parse(tmp_path / "junit.xml").getroot()
        assert root.tag == "testsuites"
        assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("1", "0", "0")
        cases = root.findall("testsuite/testcase")
        assert [case.get("name") for case in cases] == ["threads=1,batch_size=1/1"]
        assert [list(case) for case in cases] == [[]]
        assert 0 < float(cases[0].get("time", "0")) < 60

    def test_failure_is_red_in_junit(self, tmp_path: Path) -> None:
        """A smoke run whose target fails says so in both languages."""
        words = ("--set", "settings.data=nowhere", "--set", "target.prepare=null")
        done = harness(tmp_path, "smoke", "--junit", "junit.xml", "--out", "out", *words, seconds=SECONDS)
        assert done.returncode == 3, done.stdout + done.stderr
        root = ElementTree.parse(tmp_path / "junit.xml").getroot()
        assert (root.get("tests"), root.get("failures")) == ("1", "1")
        assert len(root.findall("testsuite/testcase/failure")) == 1
