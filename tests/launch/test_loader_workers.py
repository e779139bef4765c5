"""The data loader's workers are taken away from inside, where a script's own number stands in no configuration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from observing import VICTIMS, Observed

from harness.decide.interventions import NO_WORKERS
from harness.facts import reading as facts
from harness.launch import trial
from harness.launch.request import Request
from harness.plan import plan_file as plan
from probes import records

LIMITS = {"wall_seconds": 60, "no_progress_seconds": 3}


def request(root: Path, **target: Any) -> Request:
    """Return the request of a trial without workers."""
    raw = {"target": {"command": [str(VICTIMS / "loader_lock.py"), "2"], **target}, "limits": LIMITS}
    read = plan.parse(raw, root / "plan.yaml")
    return Request("as-is/1", root / "trials" / "as-is/1", read.baseline, read, NO_WORKERS)


def test_only_where_there_is_no_other_way(tmp_path: Path) -> None:
    """A configuration's key, or an option that the plan names, is how the target is told, and nothing else."""
    (tmp_path / "with.yaml").write_text("num_workers: 2\n")
    (tmp_path / "without.yaml").write_text("batch_size: 2\n")
    command = ["run.py", "{config}"]
    assert request(tmp_path).loader_workers == 0
    assert request(tmp_path, command=command, config="with.yaml").loader_workers is None
    assert request(tmp_path, command=command, config="without.yaml").loader_workers == 0
    assert request(tmp_path, factors={"num_workers": {"arg": "--workers"}}).loader_workers is None


def test_not_without_the_intervention(tmp_path: Path) -> None:
    """A trial as it is leaves the loaders alone."""
    asked = request(tmp_path)
    assert Request(asked.id, asked.folder, asked.cell, asked.plan).loader_workers is None


@pytest.mark.torch
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_removes_what_only_workers_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers, their time limit, their prefetching and their start method go; the training completes."""
    monkeypatch.chdir(tmp_path)
    trial.run(request(tmp_path), lambda pulse: True)
    observed = Observed(tmp_path, facts.read(tmp_path, "as-is/1"))
    assert (observed.trial.outcome, observed.trial.value("steps_done")) == ("completed", 3)
    assert (observed.trial.value("loader_workers"), observed.trial.interventions) == (2, ("num_workers=0",))
    (row,) = [row for row in observed.rows(records.INSIDE) if row["event"] == "loader workers"]
    assert (row["asked"], row["had"]) == (2, 0)
