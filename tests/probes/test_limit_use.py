"""Limits other than memory, sampled of a real program, and lifted for one."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from observing import ROOT, observe

from harness.facts.refused import wording
from probes import records

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors and mappings are counted on Linux only")
HOLD = """
import mmap, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
files = [open("/dev/null") for _ in range(30)]
maps = [mmap.mmap(-1, 4096) for _ in range(400)]
time.sleep(4)
"""
ASK = "import resource, sys; print(resource.getrlimit(resource.RLIMIT_NOFILE), file=sys.stderr)"


def test_use_of_a_real_program(tmp_path: Path) -> None:
    """Open files against their limit, mappings against theirs, /dev/shm; each with its row."""
    (tmp_path / "target.py").write_text(HOLD)
    observed = observe(tmp_path, tmp_path / "target.py")
    uses = {fact.value["name"]: fact.value for fact in observed.trial.facts if fact.name == "limit_use"}
    assert uses["RLIMIT_NOFILE"]["limit"] == 50 and 33 <= uses["RLIMIT_NOFILE"]["used"] <= 50
    assert 400 < uses["vm.max_map_count"]["used"] < uses["vm.max_map_count"]["limit"]
    assert uses["/dev/shm"]["resource"] == wording.SHARED
    assert "RLIMIT_NOFILE" in observed.cited("limit_use")


def test_soft_limits_are_lifted_to_the_hard_ones(tmp_path: Path) -> None:
    """In the child, before the target starts; said with what they were."""
    spec = {"trial": "a/1", "folder": str(tmp_path), "lift_limits": True, "inside_probes": True, "factors": {}}
    (tmp_path / records.SPEC).write_text(json.dumps(spec))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    (tmp_path / "ask.py").write_text(ASK)
    boot = ROOT / "probes" / "inside" / "boot.py"
    script = f'ulimit -S -n 64; exec "{sys.executable}" "{boot}" "{tmp_path / records.SPEC}" -- "{tmp_path / "ask.py"}"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == str((hard, hard)), done.stderr
    rows = [row.value for row in records.read_lines(tmp_path / records.INSIDE).rows]
    (lifted,) = [row for row in rows if row["event"] == "limits lifted"]
    assert lifted["limits"]["RLIMIT_NOFILE"] == [64, hard]
