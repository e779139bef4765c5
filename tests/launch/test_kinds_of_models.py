"""Whatever a model is made of, it computes what it computes alone, and is seen as far as it can be from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from observing import SECONDS, Observed, observe, victim

from probes import records

pytestmark = pytest.mark.torch
SCRIPT = victim("kinds_of_models")
PAIRS = [("backbone", 1), ("backbone", 2), ("head", 1)]


def both(folder: Path, kind: str) -> Observed:
    """Run it alone and observed; every loss, all output and the compiler's own counters must be the same."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    alone = subprocess.run([sys.executable, SCRIPT, kind], env=environment, capture_output=True, timeout=SECONDS)
    assert alone.stdout.count(b"loss ") == 5, alone.stderr
    observed = observe(folder, SCRIPT, kind)
    assert observed.raw(records.STDOUT) == alone.stdout
    assert observed.text(records.STDERR).count("Warning") == alone.stderr.decode().count("Warning")
    assert observed.trial.outcome == "completed"
    return observed


def calls(observed: Observed) -> list[tuple[str, int]]:
    """Return (module, call within the step) of all that was timed, in order."""
    return [(timing.module, timing.call) for timing in observed.trial.forwards]


def gaps(observed: Observed) -> list[str]:
    """Return which probes have a gap."""
    return [gap.probe for gap in observed.trial.gaps]


def test_plain(tmp_path: Path) -> None:
    """Root, parts, and the second pass through one backbone in each step."""
    observed = both(tmp_path, "plain")
    assert calls(observed) == [("Siamese", 1), *PAIRS]
    assert {timing.count for timing in observed.trial.forwards} == {5}
    assert observed.trial.value("steps_done") == 5


def test_data_parallel(tmp_path: Path) -> None:
    """The wrapper is seen through: the parts of the model in it are timed under their names."""
    observed = both(tmp_path, "data_parallel")
    assert calls(observed) == [("DataParallel", 1), ("module", 1), *((f"module.{name}", call) for name, call in PAIRS)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("eager", [("OptimizedModule", 1), ("_orig_mod", 1)]),
        ("aot", [("OptimizedModule", 1), ("_orig_mod", 1)]),
        ("in_place", [("Siamese", 1)]),
        ("part", [("Siamese", 1), *PAIRS]),
        ("function", []),
        pytest.param(
            "inductor",
            [("OptimizedModule", 1), ("_orig_mod", 1)],
            marks=pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler"),
        ),
    ],
)
def test_compiled(tmp_path: Path, kind: str, expected: list[tuple[str, int]]) -> None:
    """No graph is broken by us, no number changes; the whole is seen, and a gap says that its parts are not."""
    observed = both(tmp_path, kind)
    assert calls(observed) == expected
    assert observed.trial.value("steps_done") == 5
    assert "forwards of parts" in gaps(observed)


def test_scripted(tmp_path: Path) -> None:
    """A traced model's own code runs outside of Python: it is seen as a whole."""
    observed = both(tmp_path, "scripted")
    assert calls(observed)[0][1] == 1 and {timing.count for timing in observed.trial.forwards} >= {5}
    assert observed.trial.value("steps_done") == 5


def test_without_an_optimizer(tmp_path: Path) -> None:
    """Nothing steps: a root forward after a backward is a step."""
    observed = both(tmp_path, "by_hand")
    assert calls(observed) == [("Siamese", 1), *PAIRS]
    assert str(observed.trial.last_event) == "finalization of step 5"


@pytest.mark.parametrize(("kind", "steps"), [("tensors", 5), ("tensors_without_optimizer", 0)])
def test_without_modules(tmp_path: Path, kind: str, steps: int) -> None:
    """Only what the process shows, its steps where an optimizer steps, and a gap for the forwards."""
    observed = both(tmp_path, kind)
    assert (calls(observed), observed.trial.value("steps_done")) == ([], steps)
    assert "forwards" in gaps(observed)
    assert observed.trial.peak_rss_bytes is not None
    phases = {row.kind for row in observed.flight()}
    assert {"backward", "backward_end"} <= phases
