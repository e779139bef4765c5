"""A search that is cut short goes on where it was: no trial is asked twice, and the result is the same."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
from observing import harness

from harness import judge
from harness.decide import study
from harness.decide.study import Study
from harness.facts import reading as facts
from harness.launch import trial
from harness.model import Trial
from harness.plan.plan_file import Plan, parse
from harness.shrink.bisect import needed_samples
from harness.shrink.place.sub_trials import Bench
from harness.shrink.search.answers import Isolation
from probes import records

READS = """
import os, sys
for line in open(sys.argv[2]):
    os.abort() if line.startswith("photo-0005") else print(line, end="", flush=True)
"""


@pytest.fixture(name="plan")
def _plan(tmp_path: Path) -> Plan:
    (tmp_path / "target.py").write_text(READS)
    (tmp_path / "list.txt").write_text("".join(f"photo-{number:04d}\n" for number in range(8)))
    script, listed = str(tmp_path / "target.py"), str(tmp_path / "list.txt")
    target = {"command": [script, "--list", listed], "factors": {"list": {"arg": "--list"}}}
    bisect = {"samples": {"file": listed, "factor": "list"}}
    return parse({"target": target, "bisect": bisect, "limits": {"wall_seconds": 20}}, tmp_path / "plan.yaml")


def studied(root: Path, plan: Plan) -> Study:
    """Return the study of a failure that came once, really."""
    trial.run(trial.Request("as-is/1", root / "trials" / "as-is/1", plan.baseline, plan), lambda _: True)
    found = study.of([facts.read(root, "as-is/1")])
    assert found is not None
    return dataclasses.replace(found, plain=found.plain * 5)


def test_samples_go_on_where_they_were(tmp_path: Path, plan: Plan) -> None:
    """Four trials, then the rest: together as many as in one go."""
    case, wish = studied(tmp_path, plan), plan.bisect.samples
    assert wish is not None
    count = itertools.count()
    short = Bench(tmp_path / "cut", needed_samples.FOLDER, lambda: next(count) < 4, lambda _: True)
    (first,) = needed_samples.find(plan, case, wish, short)
    assert first.is_spent and len(first.trace) == 4
    benches = [Bench(tmp_path / name, needed_samples.FOLDER, lambda: True, lambda _: True) for name in ("cut", "whole")]
    again, whole = (needed_samples.find(plan, case, wish, bench)[0] for bench in benches)
    assert again == whole and again.isolation is Isolation.ISOLATED
    assert again.labels == ("list.txt:6: photo-0005",)
    ran = [len(list((tmp_path / name / needed_samples.FOLDER / "trials").glob("*/*"))) for name in ("cut", "whole")]
    assert ran[0] == ran[1] == len(whole.trace) - sum(row.subject.startswith("0-") for row in whole.trace)


def test_inquest_that_was_ended_by_its_budget_goes_on(tmp_path: Path) -> None:
    """`--resume`: the matrix is not run again, the searches come to their end."""
    (tmp_path / "target.py").write_text("import os\nos.abort() if os.environ['OMP_NUM_THREADS'] != '1' else print(1)\n")
    (tmp_path / "plan.yaml").write_text(
        "target: {command: [target.py]}\nfactors: {threads: [1, 2, 4]}\ncontrols: false\nlimits: {wall_seconds: 20}\n"
    )
    first = harness(tmp_path, "run", "plan.yaml", "--out", "out", "--budget", "1")
    root = tmp_path / first.stdout.splitlines()[-1]
    before = [trial_.id for trial_ in _trials(root)]
    assert "the budget of 1 s is spent" in first.stdout and not (root / "bisect" / "thresholds.json").exists()
    again = harness(tmp_path, "run", "--resume", root, seconds=120.0)
    after = [trial_.id for trial_ in _trials(root)]
    assert after[: len(before)] == before and len(after) == len(set(after))
    found = (records.read_json(root / records.EVIDENCE) or {})["bisect"]["thresholds"]
    assert found["conditions"] == "threads >= 2" and "it dies at threads >= 2" in again.stdout


def _trials(root: Path) -> list[Trial]:
    return list(judge.evidence(root).trials)
