"""Whether a death lies in our own code."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_folders import Records

from harness.facts import died_in_probe
from probes.records import FAULT_LOG, PYTHON_ERROR

LOG = """\
Fatal Python error: Segmentation fault

Current thread 0x00007f00 (most recent call first):
  File "{}", line 7 in {}
"""
OURS = "/x/probes/inside/{}.py"


@pytest.mark.parametrize(
    ("file", "function", "ours"),
    [
        (OURS.format("tracker"), "before", True), (OURS.format("steering"), "write", True),
        (OURS.format("kills"), "stand_in", False), (OURS.format("torch_hooks"), "observed", False),
        (OURS.format("target"), "_run_script", False), (OURS.format("plant"), "strike", False),
        ("/x/train.py", "main", False),
    ],
)  # fmt: skip
def test_innermost_frame_tells(tmp_path: Path, file: str, function: str, ours: bool) -> None:
    """Ours, but for what only passes a call of the target on, begins the target, or is a planted fault."""
    crash = Records(tmp_path / "crash").text(FAULT_LOG, LOG.format(file, function))
    row = {
        "pid": 77,
        "traceback": ['  File "/x/train.py", line 1, in f\n', f'  File "{file}", line 7, in {function}\n'],
    }
    raised = Records(tmp_path / "raised").exit().lines(PYTHON_ERROR, [row])
    for made, name in ((crash, FAULT_LOG), (raised, PYTHON_ERROR)):
        found = died_in_probe.facts(made.folder())
        assert [fact.sources[0].file.endswith(name) for fact in found] == ([True] if ours else [])
