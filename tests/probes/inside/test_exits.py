"""Exits that make no noise: who called for the end, from where, and whether the work was done. Real programs."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from observing import Observed, is_gone, observe, source_line, victim  # noqa: E402

from harness.decide.hypotheses import Case, deliberate_exit, external_kill  # noqa: E402
from harness.decide.verdict import decide  # noqa: E402
from harness.model import Finding  # noqa: E402
from probes import records  # noqa: E402

linux = pytest.mark.skipif(sys.platform != "linux", reason="C exit() is held on Linux only")
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
QUIET = 1.0  # seconds; a wait would be four


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


def run(root: Path, name: str, *arguments: object) -> Observed:
    """Run a victim for 20 s at most."""
    return observe(root, victim(name), *arguments, limits={"wall_seconds": 20.0})


def values(observed: Observed, name: str) -> list[dict[str, Any]]:
    """Return the values of all facts of that name."""
    return [fact.value for fact in observed.trial.facts if fact.name == name]


def judged(rule: Any, observed: Observed) -> Finding:
    """Return what a rule says of this one trial."""
    finding: Finding = rule.judge(Case((observed.trial,), {}))
    return finding


@linux
class TestNativeExit:
    """C exit() called by native code: held, looked at, released, and the exit code is still its own."""

    @pytest.mark.parametrize(("code", "status"), [(0, 0), (3, 3), (-1, 255), (256, 0), (137, 137)])
    def test_on_the_main_thread(self, tmp_path: Path, code: int, status: int) -> None:
        """The call, its code and its thread; the Python stack names the line, the native one exit itself."""
        observed = run(tmp_path, "exit_native", "exit", code, "main")
        folder = f"native/exit-{observed.exit['pid']}"
        expected = {"call": "exit", "code": status, "thread": "MainThread", "folder": folder, "pid": observed.exit["pid"]}
        (called,) = values(observed, "exit_call")
        assert called.pop("caller")["is_own"] is True  # through ctypes: a line of the program asked
        assert called == expected
        assert (observed.exit["code"], observed.exit["signal"], observed.trial.outcome) == (status, None, "died")
        (row,) = observed.rows(records.NATIVE_EXIT)
        assert json.loads(observed.cited("exit_call")) == row
        assert {key: row[key] for key in ("pid", "call", "code", "thread", "main_thread", "folder")} == {
            "pid": observed.exit["pid"], "call": "exit", "code": status, "thread": observed.exit["pid"],
            "main_thread": True, "folder": folder,
        }  # fmt: skip
        assert 0.0 < row["held_seconds"] < 15.0
        (thread,) = json.loads(observed.text(f"{folder}/python_stacks.json"))
        line = source_line(victim("exit_native"), "libc[call](code)")
        assert [(frame["name"], frame["line"]) for frame in thread["frames"]][0] == ("leave", line)
        assert observed.calls() == []
        assert observed.raw(records.STDOUT) == b"before the exit\n"

    def test_on_a_thread_that_python_does_not_know(self, tmp_path: Path) -> None:
        """Its native stack is there where gdb is; the thread's number is not the process'."""
        observed = run(tmp_path, "exit_native", "exit", 9, "thread")
        (row,) = observed.rows(records.NATIVE_EXIT)
        assert (row["main_thread"], row["code"], observed.exit["code"]) == (False, 9, 9)
        assert values(observed, "exit_call")[0]["thread"] == f"native thread {row['thread']}"
        stacks = observed.folder / row["folder"] / "gdb.txt"
        assert not stacks.exists() or "exit (status=" in stacks.read_text().split(f"(LWP {row['thread']})")[1]

    @pytest.mark.parametrize("call", ["_exit", "quick_exit"])
    def test_that_runs_no_handler_is_inferred(self, tmp_path: Path, call: str) -> None:
        """No call, no finalization, an exit code: native code ended it; the sources are the records that lack it."""
        observed = run(tmp_path, "exit_native", call, 4, "main")
        expected = {"call": "native exit", "code": 4, "thread": None, "possible": "_exit or quick_exit"}
        assert values(observed, "exit_call") == [expected]
        fact = observed.trial.fact("exit_call")
        assert fact is not None
        assert [Path(source.file).name for source in fact.sources] == ["exit.json", "exits.jsonl", "inside.jsonl"]
        assert '"code": 4' in observed.cited("exit_call")
        finding = judged(deliberate_exit, observed)
        assert finding.status == "supported"
        assert "so native code did: _exit or quick_exit" in finding.reasons[0].text

    def test_establishes_a_deliberate_exit(self, tmp_path: Path) -> None:
        """The call was seen, and its code is the process' code."""
        finding = judged(deliberate_exit, run(tmp_path, "exit_native", "exit", 3, "main"))
        assert (finding.status, finding.gaps) == ("established", ())
        assert finding.reasons[0].text.endswith("by exit(3) in thread MainThread, called by native code")

    @pytest.mark.parametrize("way", ["end of main", "sys.exit", "fork"])
    def test_normal_end_does_not_wait(self, tmp_path: Path, way: str) -> None:
        """The interpreter's own end is not held, nor is a child that native code forks."""
        observed = run(tmp_path, "exit_normal", way)
        rows = {row["call"]: row["t"] for row in observed.rows(records.EXITS)}
        end = observed.exit["started_monotonic"] + observed.exit["seconds"]
        assert end - rows["atexit"] < QUIET
        assert observed.trial.outcome == "completed"
        assert not (observed.folder / records.NATIVE_EXIT).exists()
        assert (observed.folder / "native_exit.armed").stat().st_size > 0
        assert values(observed, "died_after_main") == []


@posix
class TestSignals:
    """A signal that the program sent, to itself or to another."""

    @pytest.mark.parametrize(
        ("way", "call", "name", "group"),
        [
            ("kill", "os.kill", "SIGKILL", 1),
            ("kill_group", "os.kill", "SIGKILL", -1),
            ("killpg", "os.killpg", "SIGKILL", -1),
            ("raise_signal", "signal.raise_signal", "SIGTERM", 1),
            ("pthread_kill", "signal.pthread_kill", "SIGTERM", 1),
        ],
    )
    def test_to_itself(self, tmp_path: Path, way: str, call: str, name: str, group: int) -> None:
        """Known as its own doing: not a kill from outside, but a deliberate exit, with the line that did it."""
        observed = run(tmp_path, "exit_kills", way)
        pid = observed.exit["pid"]
        expected = {
            "call": call,
            "signal": name,
            "target": group * pid,
            "thread": "MainThread",
            "pid": pid,
            "fatal": True,
        }
        assert values(observed, "signal_sent") == [expected]
        assert (observed.exit["signal"], observed.exit["ended_by"]) == (name, "outside")  # all that exit.json can know
        assert (observed.trial.exit.signal, observed.trial.exit.ended_by) == (name, "itself")
        assert observed.trial.exit.meaning == f"{name}, sent by the program itself ({call})"
        stack = json.loads(observed.cited("signal_sent"))["stack"]
        assert f'File "{victim("exit_kills")}", line ' in stack[-1]
        assert judged(external_kill, observed).status == "open"
        assert not external_kill.predicts(observed.trial)
        finding = judged(deliberate_exit, observed)
        assert finding.status == "established"
        assert f"by {call}({group * pid}, {name}) in thread MainThread of process {pid}" in finding.reasons[0].text

    def test_abort_is_recorded(self, tmp_path: Path) -> None:
        """The signal is raised by the process either way; now the caller is known."""
        observed = run(tmp_path, "exit_kills", "abort")
        assert (observed.exit["signal"], observed.trial.exit.ended_by) == ("SIGABRT", "itself")
        assert [(row["call"], row["fatal"]) for row in values(observed, "signal_sent")] == [("os.abort", True)]

    def test_to_a_child_is_recorded(self, tmp_path: Path) -> None:
        """With the child's number; asking whether it lives (signal 0) is no signal."""
        observed = run(tmp_path, "exit_kills", "child")
        child, status = observed.text(records.STDOUT).split()
        (sent,) = values(observed, "signal_sent")
        assert (sent["call"], sent["signal"], sent["target"], sent["fatal"]) == (
            "os.kill",
            "SIGKILL",
            int(child),
            False,
        )
        assert status == "-9"
        assert observed.trial.outcome == "completed"
        assert is_gone(int(child))

    def test_by_its_own_child(self, tmp_path: Path) -> None:
        """The program's own tree, not somebody outside."""
        observed = run(tmp_path, "exit_kills", "parent")
        (sent,) = values(observed, "signal_sent")
        assert sent["target"] == observed.exit["pid"] != sent["pid"]
        assert observed.trial.exit.ended_by == "itself"
        assert observed.trial.exit.meaning == f"SIGKILL, sent by its own child process {sent['pid']} (os.kill)"

    def test_from_outside_stays_outside(self, tmp_path: Path) -> None:
        """No Python sent it; a tool of its own tree did, which is known where the kernel's signals are traced."""
        observed = run(tmp_path, "exit_shell")
        assert (observed.exit["signal"], observed.trial.exit.ended_by) == ("SIGKILL", "outside")
        assert values(observed, "signal_sent") == []
        is_seen = observed.trial.fact("signal_delivered") is not None
        assert judged(external_kill, observed).status == ("open" if is_seen else "supported")
        assert external_kill.predicts(observed.trial) is not is_seen

    def test_functions_can_still_be_pickled(self, tmp_path: Path) -> None:
        """A pool of processes sends functions by their names."""
        assert run(tmp_path, "exit_kills", "pickle").text(records.STDOUT) == "[True, True, True]\n"


class TestFinalization:
    """Deaths after the main program's end: the work was done, whatever the code says."""

    @posix
    def test_by_a_signal(self, tmp_path: Path) -> None:
        """Died, during finalization: the end of main and the exit handlers are in the records."""
        observed = run(tmp_path, "exit_late", "segv")
        (late,) = values(observed, "died_after_main")
        assert late == {"how": "SIGSEGV", "main": "end of main", "phase": "during finalization"}
        assert (observed.trial.outcome, observed.exit["signal"]) == ("died", "SIGSEGV")
        assert observed.trial.exit.meaning.startswith("finished, then died in shutdown (during finalization): invalid")
        assert "All finished, then died in shutdown" in decide(Case((observed.trial,), {}), (), "harness run").statement
        assert observed.calls() == ["end of main", "atexit"]
        assert '"code": null' in observed.cited("died_after_main")

    @posix
    def test_of_a_daemon_thread_before_it(self, tmp_path: Path) -> None:
        """An exit handler of the program was still at work."""
        began = time.monotonic()
        observed = run(tmp_path, "exit_late", "daemon")
        (late,) = values(observed, "died_after_main")
        assert late["phase"] == "after the main program, before the interpreter's finalization"
        assert (late["how"], observed.trial.outcome) == ("SIGSEGV", "died")
        assert time.monotonic() - began < 20.0

    def test_by_os_exit(self, tmp_path: Path) -> None:
        """The code is not the main program's; the call is recorded."""
        observed = run(tmp_path, "exit_late", "_exit")
        (late,) = values(observed, "died_after_main")
        assert late == {"how": "exit code 6", "main": "end of main", "phase": "during finalization"}
        assert judged(deliberate_exit, observed).status == "established"

    def test_handler_that_raises_has_not_killed_it(self, tmp_path: Path) -> None:
        """Python prints it and goes on: the run is complete."""
        observed = run(tmp_path, "exit_late", "raise")
        assert (observed.trial.outcome, observed.exit["code"]) == ("completed", 0)
        assert "ValueError: too late" in observed.text(records.STDERR)
        assert values(observed, "died_after_main") == []


@posix
def test_another_program_s_code_is_not_taken_for_a_native_exit(tmp_path: Path) -> None:
    """After exec the process is not Python's any more: that is recorded, and nothing is inferred."""
    observed = run(tmp_path, "exit_exec", 5)
    assert [(call["call"], call["code"]) for call in values(observed, "exit_call")] == [("os.exec", None)]
    assert (observed.exit["code"], observed.trial.outcome) == (5, "died")
