"""Ends that only report a standstill: the program's own time limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from built_trials import case, died
from record_folders import Records

from harness.decide.hypotheses import deliberate_exit, hang, python_exception
from harness.facts.ended import standstill_reported
from probes import records

DUMP = """Timeout (0:05:00)!
Thread 0x00007f6a (most recent call first):
  File "/usr/lib/python3.11/selectors.py", line 415 in select
Thread 0x00007f6b (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 327 in wait
  File "/home/me/train.py", line 12 in fetch
  File "/home/me/train.py", line 40 in <module>
"""
WORDS = [
    ("DataLoader timed out after 30 seconds", "a DataLoader's timeout"),
    ("Timed out after 301 seconds waiting for clients. 1/2 clients joined.", "torch.distributed's store"),
    ("[../third_party/gloo/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 1800000ms for recv operation to "
     "complete", "gloo's timeout"),
    ("[Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5)", "NCCL's watchdog"),
    ("Rank 1 failed to pass monitoredBarrier in 10000 ms", "monitored_barrier"),
]  # fmt: skip


def error(message: str, is_main: bool = True) -> dict[str, object]:
    """Return the record of an exception."""
    return {"pid": 77, "is_main": is_main, "type": "RuntimeError", "message": message, "traceback": []}


@pytest.mark.parametrize(("message", "by"), WORDS)
def test_by_the_words_of_the_exception(tmp_path: Path, message: str, by: str) -> None:
    """Each library has its own."""
    made = Records(tmp_path).exit(code=1).lines(records.PYTHON_ERROR, [error(message)])
    (fact,) = standstill_reported.facts(made.folder())
    assert (fact.value["by"], fact.sources[0].line) == (by, 1)
    assert fact.value["words"] in message


def test_where_the_main_thread_stood(tmp_path: Path) -> None:
    """The last thread of the dump is the main one; its innermost frame of the target's own code tells most."""
    (fact,) = standstill_reported.facts(Records(tmp_path).exit(code=1).text(records.STDERR, DUMP).folder())
    assert fact.value["at"] == "fetch (/home/me/train.py:12)"


@pytest.mark.parametrize(
    "changes", [{"code": 0}, {"code": 3}, {"ended_by": "harness"}, {"code": None, "signal": "SIGSEGV"}]
)
def test_a_dump_alone_ends_nothing(tmp_path: Path, changes: dict[str, object]) -> None:
    """Without `exit=True` it is printed and the program goes on; the exit has code 1."""
    made = Records(tmp_path).exit(**{"code": 1, **changes}).text(records.STDERR, DUMP)
    assert standstill_reported.facts(made.folder()) == []


def test_a_dump_before_a_python_end_ends_nothing(tmp_path: Path) -> None:
    """The interpreter got to its own end: the dump was one of many words."""
    made = Records(tmp_path).exit(code=1).text(records.STDERR, DUMP).calls("sys.exit", "atexit")
    assert standstill_reported.facts(made.folder()) == []


@pytest.mark.parametrize("message", ["The read operation timed out", "timed out", "timeout of 30 s for the license"])
def test_other_timeouts_are_none(tmp_path: Path, message: str) -> None:
    """A peer's silence, or a license server's, is an error of its own."""
    made = Records(tmp_path).exit(code=1).lines(records.PYTHON_ERROR, [error(message)])
    assert standstill_reported.facts(made.folder()) == []


def test_the_messenger_is_no_cause() -> None:
    """Neither the exit nor the exception; the standstill is supported, since only the program itself saw it."""
    told = {"by": "a DataLoader's timeout", "words": "DataLoader timed out after 30 seconds", "at": None}
    raised = {"type": "RuntimeError", "message": told["words"], "thread": "MainThread", "is_main": True}
    dead = died(1, code=1, facts={"standstill_reported": told, "python_error": raised})
    assert [rule.predicts(dead) for rule in (hang, python_exception, deliberate_exit)] == [True, False, False]
    assert [rule.judge(case(dead)).status for rule in (hang, python_exception)] == ["supported", "open"]
    assert "only reports a standstill" in python_exception.judge(case(dead)).reasons[0].text
