"""Real programs, really shrunk: thresholds, differences, samples, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from observing import harness

from harness.report import evidence as evidence_json
from probes import records

DIES = """
import json, os, sys
settings = json.load(open(sys.argv[1]))
threads = int(os.environ["OMP_NUM_THREADS"])
print("threads", threads, "batch", settings["batch_size"], flush=True)
os.abort() if threads >= 2 and settings["batch_size"] >= 3 else None
"""
DIFFERS = """
import json, os, sys
settings = json.load(open(sys.argv[1]))
print(settings, os.environ.get("FAST"), flush=True)
os.abort() if settings["optim"]["momentum"] > 0.5 and os.environ.get("FAST") == "1" else None
"""
READS = """
import os, sys
BAD = ("photo-0005", "photo-0011")
for line in open(sys.argv[2]):
    name = line.split()[0]
    os.abort() if name in BAD else print("read", name, flush=True)
"""


def inquest(
    folder: Path, script: str, plan: dict[str, Any], seconds: float = 120.0
) -> tuple[int, Path, dict[str, Any]]:
    """Run a plan on a script; return the exit code, the inquest's folder, and what its searches found."""
    (folder / "target.py").write_text(script)
    common = {"controls": False, "limits": {"wall_seconds": 20}}
    (folder / "plan.yaml").write_text(yaml.safe_dump({**common, **plan}, sort_keys=False))
    done = harness(folder, "run", "plan.yaml", "--out", "out", seconds=120.0)
    assert "Traceback" not in done.stderr and done.stdout, done.stderr
    root = folder / done.stdout.splitlines()[-1]
    found = records.read_json(root / records.EVIDENCE) or {}
    assert evidence_json.to_json(evidence_json.from_json(found)) == found
    return done.returncode, root, found["bisect"]


class TestThresholds:
    """`harness run` goes on to shrink what it has reproduced."""

    def test_are_found_exactly_and_told_everywhere(self, tmp_path: Path) -> None:
        """In the record, in evidence.json, on the console, in both documents; the review says it again."""
        (tmp_path / "config.json").write_text(json.dumps({"batch_size": 1}))
        target = {"command": ["target.py", "{config}"], "config": "config.json"}
        factors = {"threads": [1, 2], "batch_size": [1, 4, 8]}
        _, root, found = inquest(tmp_path, DIES, {"target": target, "factors": factors})
        assert found["thresholds"]["conditions"] == "threads >= 2 and batch_size >= 3"
        assert found["thresholds"]["confidence"] > 0.9
        assert records.read_json(root / "bisect" / "thresholds.json") == {
            key: value for key, value in found["thresholds"].items() if key != "record"
        }
        review = harness(tmp_path, "review", root).stdout
        html, markdown = (root / "report.html").read_text(), (root / "report.md").read_text()
        for text, words in ((review, "threads >= 2"), (html, "threads &gt;= 2"), (markdown, "threads \\>= 2")):
            assert words in text
        assert "what it excluded" in review and "does it die?" in html

    def test_can_be_left_out(self, tmp_path: Path) -> None:
        """`bisect: false`."""
        (tmp_path / "config.json").write_text(json.dumps({"batch_size": 1}))
        target = {"command": ["target.py", "{config}"], "config": "config.json"}
        factors = {"threads": [2], "batch_size": [1, 4]}
        _, root, found = inquest(tmp_path, DIES, {"target": target, "factors": factors, "bisect": False})
        assert found == {} and not (root / "bisect").exists() and not (root / "place").exists()


class TestDifference:
    """Two configurations: one that dies, one that lives."""

    def test_smallest_set_of_settings_and_variables(self, tmp_path: Path) -> None:
        """Six differences, two of them needed together; packages are reported."""
        bad = {"optim": {"momentum": 0.9, "lr": 0.1}, "seed": 1, "augment": True}
        good = {"optim": {"momentum": 0.1, "lr": 0.2}, "seed": 2, "extra": "x"}
        (tmp_path / "bad.json").write_text(json.dumps(bad))
        (tmp_path / "good.json").write_text(json.dumps(good))
        (tmp_path / "here.txt").write_text("torch==2.14.1\nnumpy==2.0\n")
        (tmp_path / "there.txt").write_text("torch==2.13.0\nnumpy==2.0\n")
        difference = {
            "dies": {"env": {"FAST": "1", "COLOUR": "red"}}, "survives": {"config": "good.json", "env": {"FAST": "0"}},
            "packages": ["here.txt", "there.txt"],
        }  # fmt: skip
        target = {"command": ["target.py", "{config}"], "config": "bad.json", "env": {"FAST": "1", "COLOUR": "red"}}
        plan = {"target": target, "bisect": {"thresholds": False, "place": False, "difference": difference}}
        _, root, found = inquest(tmp_path, DIFFERS, plan)
        assert found["difference"]["labels"] == [
            "setting optim.momentum: 0.9 instead of 0.1", "variable FAST: 1 instead of 0",
        ]  # fmt: skip
        assert found["difference"]["packages"] == ["torch: 2.14.1 where it dies, 2.13.0 where it lives"]
        assert found["difference"]["confidence"] > 0.9
        trials = list((root / "bisect" / "difference" / "trials").glob("*/*"))
        assert len(trials) == sum(not row["subject"].startswith("log") for row in found["difference"]["trace"])


class TestSamples:
    """A list of samples, one of them bad."""

    @pytest.mark.parametrize(("header", "count", "bad"), [(0, 10, [6]), (1, 14, [7, 13])])
    def test_bad_samples_are_named_with_their_lines(
        self, tmp_path: Path, header: int, count: int, bad: list[int]
    ) -> None:
        """One, or two that each die by themselves."""
        rows = ["name label"] * header + [f"photo-{number:04d} {number % 2}" for number in range(count)]
        (tmp_path / "list.txt").write_text("\n".join(rows) + "\n")
        target = {"command": ["target.py", "--list", "list.txt"], "factors": {"list": {"arg": "--list"}}, "cwd": "."}
        samples = {"file": "list.txt", "factor": "list", "header_lines": header}
        plan = {"target": target, "bisect": {"thresholds": False, "place": False, "samples": samples}}
        _, _, found = inquest(tmp_path, READS, plan)
        labels = [f"list.txt:{line}: {rows[line - 1]}" for line in bad]
        assert found["samples"]["labels"] == labels
        assert all(label in found["samples"]["statement"] for label in labels)
        assert ("2 independent causes, each dies" in found["samples"]["statement"]) is (len(bad) == 2)
