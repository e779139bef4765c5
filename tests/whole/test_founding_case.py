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

from harness.decide.interventions import RUNGS
from harness.launch import memory_limit
from harness.report import evidence as evidence_json
from probes import records

pytestmark = pytest.mark.torch
SECONDS = 240.0
SMALL = (
    "factors.batch_size=[1,4]", "settings.backbone=resnet18", "settings.image_size=64", "settings.max_steps=2",
    "expect.steps=2",
)  # fmt: skip
INQUEST_SECONDS = 900.0  # it takes five minutes alone; here another file of tests has its share of the two cores
MATRIX = {
    "threads=2,batch_size=4/1": ("died", "SIGSEGV"),
    "threads=1,batch_size=1/1": ("completed", None),
    "threads=1,batch_size=4/1": ("completed", None),
    "threads=2,batch_size=1/1": ("completed", None),
}
REPEATS = [f"threads=2,batch_size=4/{number}" for number in range(2, 6)]
ONE_THREAD = [f"threads=2,batch_size=4+threads=1/{number}" for number in range(1, 5)]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], dict[str, Any], Path]:
    """Run the founding case once, in a directory of its own; return how it ended, evidence.json and the folder."""
    directory = tmp_path_factory.mktemp("founding")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    plan = ROOT / "configs" / "silent_exit.yaml"
    done = harness(directory, "run", plan, *settings, "--out", directory / "out", seconds=INQUEST_SECONDS)
    assert "Traceback" not in done.stderr, done.stderr
    folder = Path(done.stdout.splitlines()[-1])
    data: dict[str, Any] = json.loads((folder / records.EVIDENCE).read_text(encoding="utf-8"))
    return done, data, folder


def had_no_way(data: dict[str, Any]) -> bool:
    """Whether memory was ruled out without the ladder: where calls are traced, and nobody was killed meanwhile."""
    memory = next(finding for finding in data["hypotheses"] if finding["id"] == "memory-exhaustion")
    return any("had no way to act" in reason["text"] for reason in memory["reasons"])


class TestFoundingCase:
    """The log ends after the first of two backbone forwards, and nothing says why."""

    def test_fails_in_one_cell_only(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """SIGSEGV at 2 threads and batch size 4; the three other cells complete."""
        trials = case[1]["trials"][: len(MATRIX)]
        assert {trial["id"]: (trial["outcome"], trial["exit"]["signal"]) for trial in trials} == MATRIX

    def test_goes_on_with_the_failing_cell(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """Four more of it, all the same death; at one thread, where the matrix has run one; tight limits; each pool.

        In the order of what each decides a second; which pool it is does not decide, and comes last.
        """
        later = case[1]["trials"][len(MATRIX) :]
        ids = [trial["id"] for trial in later]
        asked = ids[: ids.index("threads=2,batch_size=4+OMP_NUM_THREADS=1/1")]
        is_climbed = memory_limit.kind_here() and not had_no_way(case[1])
        tight = [f"threads=2,batch_size=4+{rung.id}/1" for rung in RUNGS if (rung.memory_share or 0) < 1]
        wanted = [*REPEATS, *ONE_THREAD, *(tight if is_climbed else [])]
        assert set(wanted) <= set(asked)
        assert all("+memory=" in one or "+torch.set_num_threads=1/" in one for one in set(asked) - set(wanted))
        assert {trial["outcome"] for trial in later if trial["id"] in ONE_THREAD} <= {"completed"}
        same = [trial for trial in case[1]["trials"] if trial["id"] in ("threads=2,batch_size=4/1", *REPEATS)]
        assert len({trial["signature"]["loose"] for trial in same}) == 1
        assert all((trial["outcome"], trial["exit"]["signal"]) == ("died", "SIGSEGV") for trial in same)

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

    def test_cause_is_named(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """Memory is ruled out, threading established by one thread; exit code 1; nothing is left to run."""
        done, data, folder = case
        status = {finding["id"]: finding["status"] for finding in data["hypotheses"]}
        assert (status["memory-exhaustion"], status["threading-fault"]) == ("ruled-out", "established")
        assert (done.returncode, data["verdict"]["status"]) == (1, "named")
        assert (data["verdict"]["cause"], data["verdict"]["next_experiments"]) == ("threading-fault", [])
        assert (folder / "report.md").is_file() and (folder / "report.html").is_file()

    def test_thresholds_are_exact(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """The plan names batch sizes 1 and 4: that 2 and 3 live was asked."""
        found = case[1]["bisect"]["thresholds"]
        assert found["conditions"] == "threads >= 2 and batch_size >= 4"
        assert found["isolation"] == "isolated" and found["confidence"] > 0.9
        assert {"threads=2,batch_size=2/1", "threads=2,batch_size=3/1"} <= {trial["id"] for trial in case[1]["trials"]}

    def test_place_and_repro(self, case: tuple[Any, dict[str, Any], Path]) -> None:
        """The second backbone call; the script of under 60 lines dies five of five times with the same signature."""
        place, repro = case[1]["bisect"]["place"], case[1]["bisect"]["repro"]
        assert "backbone (torchvision.models.resnet.ResNet), call 2 of step 1" in place["statement"]
        assert (repro["failures"], repro["trials"], repro["standalone"]) == (5, 5, True)
        script = (case[2] / "repro" / "repro.py").read_text(encoding="utf-8")
        assert len(script.splitlines()) < 60 and "Died 5 of 5 times" in script and "trainer" not in script

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
