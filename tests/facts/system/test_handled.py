"""Signals that a program handles: which, and which of them reached it near its end; real, and built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from observing import observe
from record_folders import Records
from test_direct_evidence import BEGIN, SENT, values

from probes import records
from probes.outside.ends.handled_signals import names
from probes.outside.system.signals import SignalsProbe

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="which signals a process handles is told by Linux only")
MASK = {"t": 10.5, "pid": 77, "handled": ["SIGINT", "SIGSEGV", "SIGTERM", "SIGCHLD", "signal 62"], "ignored": []}
ASKED = {**SENT, "signal": "SIGTERM", "number": 15}
LAST = """
import os, signal, subprocess, time
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGUSR1, lambda *_: None)
time.sleep(1)
subprocess.run(["sh", "-c", f"kill -TERM {os.getpid()}"])
time.sleep(0.5)
os._exit(3)
"""


def made(root: Path, *sent: dict[str, Any], mask: dict[str, Any] = MASK) -> Records:
    """Return the records of a trial from 10 to 12 that ended with exit code 1."""
    return Records(root).exit(code=1).lines(records.HANDLED, [mask]).lines(records.SIGNALS, [BEGIN, *sent])


@LINUX
def test_of_a_real_program(tmp_path: Path) -> None:
    """Its own two, and Python's; the one that reached it, with its sender, where that can be seen."""
    (tmp_path / "target.py").write_text(LAST)
    observed = observe(tmp_path, tmp_path / "target.py")
    told = observed.trial.value("signals_handled")
    is_seen = SignalsProbe.missing() is None
    assert told == {
        "pid": observed.exit["pid"],
        "handled": ["SIGINT", "SIGUSR1", "SIGTERM"],
        "is_watched": is_seen,
        "signal": None,
    }
    assert '"SIGTERM"' in observed.cited("signals_handled")
    reached = [fact.value for fact in observed.trial.facts if fact.name == "signal_handled"]
    assert [(one["signal"], one["by"]) for one in reached] == ([("SIGTERM", "tree")] if is_seen else [])


def test_the_probes_own_handlers_are_none_of_it(tmp_path: Path) -> None:
    """Faults, real-time signals, children's ends."""
    (value,) = values(made(tmp_path), "signals_handled")
    assert value == {"pid": 77, "handled": ["SIGINT", "SIGTERM"], "is_watched": True, "signal": None}


def test_torch_s_own_for_its_stacks_neither(tmp_path: Path) -> None:
    """SIGUSR2 is the program's own only where no torch is."""
    mask = {**MASK, "handled": ["SIGUSR2"]}
    assert values(made(tmp_path / "a", mask=mask), "signals_handled")[0]["handled"] == ["SIGUSR2"]
    with_torch = made(tmp_path / "b", mask=mask).lines(records.INSIDE, [{"event": "torch", "version": "2", "pid": 77}])
    assert values(with_torch, "signals_handled") == []


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ([ASKED], 1),
        ([{**ASKED, "t": 1.5}], 0),  # long before
        ([{**ASKED, "signal": "SIGUSR1"}], 0),  # not handled: nobody knows what became of it
        ([{**ASKED, "target": 80}], 0),  # another process
        ([{**ASKED, "by": "harness"}], 0),
        ([ASKED, {**ASKED, "t": 11.95, "by": "kernel", "sender": None}], 2),
    ],
)
def test_what_reached_it(tmp_path: Path, sent: list[dict[str, Any]], number: int) -> None:
    """A signal that is handled, to the judged process, in its last seconds, not by us."""
    assert len(values(made(tmp_path, *sent), "signal_handled")) == number


def test_the_one_that_ended_it_was_not_handled(tmp_path: Path) -> None:
    """A handler may have been there before."""
    ended = made(tmp_path, ASKED).exit(code=None, signal="SIGTERM", ended_by="outside")
    assert values(ended, "signal_handled") == []


def test_of_a_process_that_died_first(tmp_path: Path) -> None:
    """A worker's masks and its signal are told, not those of the main process, which only followed."""
    born = {"pid": 80, "parent": 77, "how": "fork", "ranks": {}}
    ends = [{"t": 11.0, "pid": 80, "event": "ended", "code": None, "signal": 11, "seen": True}]
    one = made(tmp_path, mask={**MASK, "pid": 80}).lines(records.ENDS, ends)
    (one.path / "processes" / "80").mkdir(parents=True)
    records.write_json(one.path / "processes" / "80" / records.PROCESS, born)
    (value,) = values(one, "signals_handled")
    assert (value["pid"], value["signal"]) == (80, "SIGSEGV")


def test_a_trace_that_lost_rows_has_not_watched(tmp_path: Path) -> None:
    """Nor has one that never began."""
    lost = made(tmp_path / "a", {"t": 11.0, "event": "lost", "rows": 3})
    none = Records(tmp_path / "b").exit(code=1).lines(records.HANDLED, [MASK])
    assert [values(one, "signals_handled")[0]["is_watched"] for one in (lost, none)] == [False, False]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("0000000000000000", []),
        ("0000000000000001", ["SIGHUP"]),
        ("0000000000004002", ["SIGINT", "SIGTERM"]),
        ("8000000000000000", ["SIGRTMAX"]),
    ],
)
def test_masks(mask: str, expected: list[str]) -> None:
    """The lowest bit is signal 1."""
    assert names(mask) == expected
