"""refusals.jsonl, signals.jsonl, fault.json -> refusal, signal_delivered: pure, on built folders, old ones included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from record_folders import ID, Records

from harness.model import Source
from probes import records

BEGIN = {"t": 10.02, "event": "watching", "since_launch_seconds": 0.02}
REFUSED = {
    "t": 11.0, "event": "refused", "call": "write", "error": "ENOSPC", "pid": 77, "thread": 78, "first": 11.0,
    "last": 11.0, "count": 1, "name": "python", "about": {"path": "/x", "free_bytes": 0},
}  # fmt: skip
COUNT = {**REFUSED, "event": "count", "thread": 79, "last": 11.5, "count": 40}
SENT = {
    "t": 11.9, "event": "sent", "signal": "SIGKILL", "number": 9, "code": 0, "to_process": True, "result": 0,
    "target": 77, "target_thread": 77, "by": "stranger", "sender": 5, "sender_name": "earlyoom",
    "sender_command": "/usr/bin/earlyoom -m 5", "sender_user": "root",
}  # fmt: skip
KERNEL = {**SENT, "by": "kernel", "sender": None, "sender_command": None, "sender_name": None, "sender_user": None}
KILLED: dict[str, Any] = {"code": None, "signal": "SIGKILL", "ended_by": "outside"}
VICTIM = {"t": 11.9001, "event": "oom victim", "target": 77, "text": "pid=77"}


def values(made: Records, name: str) -> list[dict[str, Any]]:
    """Return the values of all facts of that name."""
    return [fact.value for fact in made.read().facts if fact.name == name]


class TestRefusal:
    """One fact a kind."""

    def test_first_and_last_of_a_kind(self, tmp_path: Path) -> None:
        """What it was about is of the first, the count of the last; both lines are cited."""
        made = Records(tmp_path).exit(code=1).lines(records.REFUSALS, [BEGIN, REFUSED, COUNT])
        assert values(made, "refusal") == [{
            "call": "write", "error": "ENOSPC", "pid": 77, "thread": 78, "count": 40, "first_seconds": 1.0,
            "last_seconds": 1.5, "before_death_seconds": 0.5, "about": {"path": "/x", "free_bytes": 0},
        }]  # fmt: skip
        fact = made.read().fact("refusal")
        assert fact is not None
        assert fact.sources == tuple(Source(f"trials/{ID}/{records.REFUSALS}", line) for line in (2, 3))

    def test_kinds_are_apart(self, tmp_path: Path) -> None:
        """Another process, another call, another error; in the order of their first times."""
        kinds = [{**REFUSED, "first": 11.3, "pid": 80}, {**REFUSED, "first": 11.2, "call": "mmap"}, REFUSED]
        made = Records(tmp_path).exit().lines(records.REFUSALS, kinds)
        assert [(value["call"], value["pid"]) for value in values(made, "refusal")] == [
            ("write", 77), ("mmap", 77), ("write", 80),
        ]  # fmt: skip

    def test_time_is_to_the_first_death(self, tmp_path: Path) -> None:
        """A worker died before the main process noticed; what the latter was refused after that comes after it."""
        made = Records(tmp_path).exit(code=1).lines(records.REFUSALS, [COUNT])
        (made.path / "processes" / "80").mkdir(parents=True)
        records.write_json(made.path / "processes" / "80" / "process.json", {"pid": 80, "parent": 77, "how": "fork"})
        made.lines(records.ENDS, [{"t": 11.2, "pid": 80, "event": "ended", "code": 3, "signal": None, "seen": True}])
        assert values(made, "refusal")[0]["before_death_seconds"] == pytest.approx(-0.3)

    def test_without_an_end(self, tmp_path: Path) -> None:
        """The supervisor was killed: the start is the probe's own, the end is not known."""
        made = Records(tmp_path).lines(records.REFUSALS, [BEGIN, REFUSED])
        (found,) = values(made, "refusal")
        assert (found["first_seconds"], found["before_death_seconds"]) == (1.0, None)

    def test_old_folder_has_none(self, tmp_path: Path) -> None:
        """No record, no fact, no error."""
        made = Records(tmp_path).exit()
        assert (values(made, "refusal"), values(made, "signal_delivered")) == ([], [])


class TestSignal:
    """Who sent it, and whether it was the end."""

    def test_stranger(self, tmp_path: Path) -> None:
        """All of the contract's keys."""
        made = Records(tmp_path).exit(**KILLED).lines(records.SIGNALS, [BEGIN, SENT])
        assert values(made, "signal_delivered") == [{
            "signal": "SIGKILL", "target": 77, "sender": 5, "sender_command": "/usr/bin/earlyoom -m 5",
            "sender_user": "root", "by": "stranger", "code": 0, "at_seconds": 1.9, "before_death_seconds": 0.1,
            "ends": True,
        }]  # fmt: skip

    @pytest.mark.parametrize(
        ("sent", "victim", "by"),
        [
            (KERNEL, VICTIM, "oom-killer"),
            ({**KERNEL, "code": 128}, {**VICTIM, "t": 11.8}, "oom-killer"),
            (KERNEL, {**VICTIM, "target": 80}, "kernel"),
            (KERNEL, {**VICTIM, "t": 15.0}, "kernel"),
            ({**KERNEL, "signal": "SIGTERM"}, VICTIM, "kernel"),
            (SENT, VICTIM, "stranger"),
        ],
    )
    def test_oom_killer_is_told_by_its_mark(self, tmp_path: Path, sent: Any, victim: Any, by: str) -> None:
        """The same process, the same instant, the kernel's own SIGKILL; nothing less."""
        made = Records(tmp_path).exit(**KILLED).lines(records.SIGNALS, [sent, victim])
        assert values(made, "signal_delivered")[0]["by"] == by

    @pytest.mark.parametrize(
        ("exit_", "sent"),
        [
            ({"code": 0}, SENT),
            ({**KILLED, "signal": "SIGTERM"}, SENT),
            (KILLED, {**SENT, "target": 80}),
            ({**KILLED, "seconds": 60.0}, {**SENT, "t": 11.0}),
            (KILLED, {**SENT, "t": 13.0}),
        ],
        ids=["lived", "another signal", "another process", "long before", "after it"],
    )
    def test_is_not_always_the_end(self, tmp_path: Path, exit_: Any, sent: Any) -> None:
        """Only a death of that process, by that signal, soon after."""
        made = Records(tmp_path).exit(**exit_).lines(records.SIGNALS, [sent])
        assert [value["ends"] for value in values(made, "signal_delivered")] == [False]

    def test_last_of_several_is_the_end(self, tmp_path: Path) -> None:
        """A handler took the first ones."""
        rows = [{**SENT, "signal": "SIGTERM", "t": t, "sender": pid} for t, pid in ((10.5, 5), (11.0, 6), (11.9, 7))]
        made = Records(tmp_path).exit(**{**KILLED, "signal": "SIGTERM"}).lines(records.SIGNALS, rows)
        assert [value["sender"] for value in values(made, "signal_delivered") if value["ends"]] == [7]

    def test_child_that_is_no_python(self, tmp_path: Path) -> None:
        """Its parent's record tells that it died of it."""
        child = {"t": 11.95, "pid": 77, "event": "ended", "child": 90, "code": None, "signal": 9}
        made = Records(tmp_path).exit(code=1).lines(records.CHILDREN, [child])
        made.lines(records.SIGNALS, [{**SENT, "target": 90}])
        assert [(value["target"], value["ends"]) for value in values(made, "signal_delivered")] == [(90, True)]


class TestSiginfo:
    """fault.json, where there was no trace."""

    FAULT: Any = {"signal": "SIGSEGV", "pid": 77, "t": 11.9, "code": "SI_USER", "thread": {}, "held": True}

    def fault(self, root: Path, **keys: Any) -> Records:
        """Write one."""
        made = Records(root).spec(supervisor=3).exit(code=None, signal="SIGSEGV")
        (made.path / records.NATIVE / "main").mkdir(parents=True)
        records.write_json(made.path / records.NATIVE / "main" / records.FAULT, {**self.FAULT, **keys})
        return made

    @pytest.mark.parametrize(
        ("keys", "by"),
        [
            ({"si_code": 1, "si_pid": None}, "kernel"),
            ({"si_code": 128, "si_pid": None}, "kernel"),
            ({"si_code": 0, "si_pid": 5, "si_uid": 0}, "stranger"),
            ({"si_code": -6, "si_pid": 77, "si_uid": 0}, "itself"),
            ({"si_code": 0, "si_pid": 3, "si_uid": 0}, "harness"),
        ],
    )
    def test_names_the_sender(self, tmp_path: Path, keys: Any, by: str) -> None:
        """By its code and its number."""
        (found,) = values(self.fault(tmp_path, **keys), "signal_delivered")
        assert (found["by"], found["ends"], found["sender"], found["code"]) == (
            by, True, keys["si_pid"], keys["si_code"],
        )  # fmt: skip

    @pytest.mark.parametrize("keys", [{}, {"si_code": None}])
    def test_that_was_not_kept_is_no_fact(self, tmp_path: Path, keys: Any) -> None:
        """Reports from before, and processes that were held by pause(2)."""
        assert values(self.fault(tmp_path, **keys), "signal_delivered") == []

    def test_trace_goes_first(self, tmp_path: Path) -> None:
        """What sent it is the end of it, not what the handlers send once more."""
        made = self.fault(tmp_path, si_code=0, si_pid=5, si_uid=0)
        again = {**SENT, "signal": "SIGSEGV", "t": 11.91, "by": "itself", "sender": 77, "code": -6}
        made.lines(records.SIGNALS, [{**SENT, "signal": "SIGSEGV"}, again])
        found = values(made, "signal_delivered")
        assert [(value["by"], value["ends"]) for value in found] == [("stranger", True), ("itself", False)]


def test_chain_of_an_exception_is_a_fact(tmp_path: Path) -> None:
    """As recorded; None where an older report has none."""
    chain = [{"how": "cause", "type": "OSError", "message": "full", "errno": 28, "filename": "/x"}]
    error = {"t": 11.0, "pid": 77, "type": "RuntimeError", "message": "m", "thread": "MainThread", "is_main": True}
    made = Records(tmp_path).exit(code=1).lines(records.PYTHON_ERROR, [{**error, "chain": chain}, error])
    assert [value["chain"] for value in values(made, "python_error")] == [chain, None]
