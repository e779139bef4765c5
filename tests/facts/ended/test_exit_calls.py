"""Who asked for the end of a thread: its function may be sys.exit itself, with no frame of the program's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_folders import Records

from harness.facts.ended import exit_calls

BOOT = '  File "/usr/lib/python3.11/threading.py", line 1045, in _bootstrap_inner\n    self.run()\n'
RUN = '  File "/usr/lib/python3.11/threading.py", line 982, in run\n    self._target(*self._args, **self._kwargs)\n'
WINDOWS = '  File "C:\\Python311\\Lib\\threading.py", line 982, in run\n    self._target(*self._args, **self._kwargs)\n'
LIBRARY = '  File "/env/lib/python3.11/site-packages/other/pool.py", line 3, in work\n    sys.exit(5)\n'
NAMESAKE = '  File "/home/me/project/threading.py", line 3, in work\n    sys.exit(5)\n'


@pytest.mark.parametrize(
    ("call", "stack", "asked"),
    [
        ("SystemExit in thread", [BOOT, RUN], True),
        ("SystemExit in thread", [WINDOWS], True),
        ("SystemExit in thread", [BOOT, RUN, LIBRARY], False),
        ("SystemExit in thread", [BOOT, RUN, NAMESAKE], False),
        ("SystemExit in thread", [], False),
        ("sys.exit", [BOOT, RUN], False),
    ],
)
def test_function_of_a_thread(tmp_path: Path, call: str, stack: list[str], asked: bool) -> None:
    """Only where nothing but Python's own way of starting threads lies between."""
    made = Records(tmp_path).exit().calls(call, stack=stack, place=None, thread="loader")
    (fact,) = [one for one in exit_calls.facts(made.folder()) if one.name == "exit_call" and one.value["call"] == call]
    assert fact.value.get("is_threads_function", False) is asked
