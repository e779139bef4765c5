"""Exceptions that were printed, fatal or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_folders import Records

from harness.facts import printed_errors
from probes import records

FEEDER = """a line before
Traceback (most recent call last):
  File "/usr/lib/python3.11/multiprocessing/queues.py", line 244, in _feed
    obj = _ForkingPickler.dumps(obj)
          ^^^^^^^^^^^^^^^^^^^^^^^^^
OSError: AF_UNIX path too long
"""
CHAINED = """Traceback (most recent call last):
  File "/home/me/a.py", line 3, in read
    return table[key]
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/home/me/a.py", line 9, in <module>
    read()
__main__.Bad
"""
CASES = [
    (FEEDER, [("OSError: AF_UNIX path too long", "_feed (/usr/lib/python3.11/multiprocessing/queues.py:244)", 1, 6)]),
    (FEEDER * 4, [
        ("OSError: AF_UNIX path too long", "_feed (/usr/lib/python3.11/multiprocessing/queues.py:244)", 4, 6)]),
    (CHAINED, [
        ("KeyError: 'a'", "read (/home/me/a.py:3)", 1, 4), ("__main__.Bad", "<module> (/home/me/a.py:9)", 1, 11)]),
    ("Exception in thread Thread-1 (run):\n" + FEEDER[14:], [
        ("OSError: AF_UNIX path too long", "_feed (/usr/lib/python3.11/multiprocessing/queues.py:244)", 1, 6)]),
    ("Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n", []),
    ("ValueError: a line of a log, and no traceback\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), CASES)
def test_each_kind_once(tmp_path: Path, text: str, found: list[tuple[str, str, int, int]]) -> None:
    """The words, the innermost frame, how often, and the line that holds the words."""
    told = printed_errors.facts(Records(tmp_path).text(records.STDERR, text).folder())
    rows = [(one.value["words"], one.value["place"], one.value["count"], one.sources[0].line) for one in told]
    assert rows == found
