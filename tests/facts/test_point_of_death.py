"""Where a trial ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_folders import Records

from harness.facts import point_of_death
from harness.facts.hang.stacks import Frame
from harness.model import Outcome
from probes import records

TRACE = [
    "Traceback (most recent call last):\n", '  File "/home/me/train.py", line 9, in <module>\n    train()\n',
    '  File "/home/me/loop.py", line 41, in train\n    loss = step(batch)\n',
    '  File "/opt/env/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1532, in _call_impl\n    f()\n',
    "ValueError: bad\n",
]  # fmt: skip


def finished(folder: Path) -> Records:
    """Return a trial whose last record is its finalization, in step 253."""
    return Records(folder).exit(code=1).flight(("step", 0, "", 252), ("end", 0, "", 253), done=252)


def test_an_exception_ends_at_its_own_last_frame(tmp_path: Path) -> None:
    """Of the target's code, in the loop's step: not in the finalization that follows from it."""
    made = finished(tmp_path).lines(records.PYTHON_ERROR, [{"pid": 77, "is_main": True, "traceback": TRACE}])
    last = point_of_death.of(made.folder(), "", made.folder().flight(), Outcome.DIED)
    assert str(last) == "train (loop.py:41) of step 253"


def test_without_an_exception_the_ring_tells(tmp_path: Path) -> None:
    """A thread's exception, or none, says nothing of where the main program was."""
    made = finished(tmp_path).lines(records.PYTHON_ERROR, [{"pid": 77, "is_main": False, "traceback": TRACE}])
    folder = made.folder()
    assert str(point_of_death.of(folder, "", folder.flight(), Outcome.DIED)) == "finalization of step 253"
    assert point_of_death.of(folder, "", [], Outcome.DIED) is None


@pytest.mark.parametrize(
    ("file", "is_own"),
    [
        ("/home/me/train.py", True),
        ("train.py", True),
        ("/home/me/library/python3/tools.py", True),
        ("/usr/lib/python3.11/threading.py", False),
        ("/opt/env/lib/python3.12/site-packages/polars/lazyframe/engine.py", False),
        ("/usr/lib/python3/dist-packages/yaml/__init__.py", False),
        (r"C:\Python311\Lib\threading.py", False),
        (r"C:\Users\me\train.py", True),
        ("<frozen runpy>", False),
        ("/home/me/x/probes/inside/become_target.py", False),
    ],
)
def test_whose_code_it_is(file: str, is_own: bool) -> None:
    """The target's own lies neither in the standard library nor in an installed package."""
    assert Frame("f", file, 1, True).is_own is is_own


def test_a_packages_file_keeps_its_folders_within_it() -> None:
    """As people know it."""
    assert str(Frame("f", "/opt/lib/python3.12/site-packages/torch/_ops.py", 7, True)) == "f (torch/_ops.py:7)"
