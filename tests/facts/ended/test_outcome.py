"""How a trial ended: truth tables over exit records, recorded exits, flight and expectations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from record_folders import FINISHED, Records

from harness.facts.ended.outcome import SIGNALS, meaning
from harness.model import EndedBy
from probes.records import PYTHON_ERROR


class TestExitRecord:
    """What the exit record alone decides."""

    @pytest.mark.parametrize(
        ("changes", "outcome"),
        [
            ({"code": None, "signal": "SIGSEGV"}, "died"),
            ({"code": None, "signal": "SIGKILL", "ended_by": "outside"}, "died"),
            ({"code": 1}, "died"),
            ({"code": 137}, "died"),
            ({"code": 139}, "died"),
            ({"code": 0xC0000005, "ntstatus": "0xC0000005"}, "died"),
            ({"code": None, "signal": "SIGKILL", "ended_by": "harness", "limit": "no progress"}, "hung"),
            ({"code": None, "signal": "SIGKILL", "ended_by": "harness", "limit": "steps"}, "stopped"),
            ({"code": None, "signal": "SIGKILL", "ended_by": "harness", "limit": "memory"}, "stopped"),
            ({"code": None, "signal": "SIGKILL", "ended_by": "harness", "limit": "wall time"}, "unresolved"),
            ({"code": None, "signal": "SIGKILL", "ended_by": "harness", "limit": "interrupted"}, "unresolved"),
            ({"code": None, "signal": "SIGSEGV", "ended_by": "itself", "limit": "wall time"}, "died"),
        ],
    )
    def test_decides_the_outcome(self, tmp_path: Path, changes: dict[str, Any], outcome: str) -> None:
        """Even where everything else says that the program finished."""
        trial = Records(tmp_path).exit(**changes).calls(*FINISHED).flight(("start",), ("end",)).read()
        assert trial.outcome == outcome
        assert (trial.exit.code, trial.exit.signal) == (changes.get("code", 0), changes.get("signal"))

    def test_missing_is_unresolved(self, tmp_path: Path) -> None:
        """A supervisor that died left no exit.json: nothing is known, and the gap says so."""
        trial = Records(tmp_path).calls(*FINISHED).read()
        assert trial.outcome == "unresolved"
        assert trial.exit.meaning == "not known: the supervisor did not see the end"
        assert "exit" in [gap.probe for gap in trial.gaps]


class TestExitCodeZero:
    """Exit code 0 alone is not enough for `completed`."""

    @pytest.mark.parametrize(
        ("calls", "last", "outcome"),
        [
            (("end of main", "atexit"), "step", "completed"),
            (("sys.exit", "atexit"), "step", "completed"),
            (("sys.exit", "atexit"), "batch", "completed"),
            (("end of main",), "step", "died"),
            (("atexit",), "step", "died"),
            ((), "step", "died"),
            (("os._exit",), "step", "died"),
            (("end of main", "atexit", "os._exit"), "step", "died"),
            (("SystemExit in thread", "end of main", "atexit"), "step", "died"),
            (("sys.exit", "atexit"), "enter", "died"),
            (("sys.exit", "atexit"), "backward", "died"),
            (("sys.exit", "atexit"), "optimizer", "died"),
            (("end of main", "atexit"), "enter", "completed"),
        ],
    )
    def test_needs_an_end_of_the_program(self, tmp_path: Path, calls: tuple[str, ...], last: str, outcome: str) -> None:
        """The main program ended outside of a step, no thread left early, and the interpreter finalized."""
        folder = Records(tmp_path).exit().calls(*calls).flight(("start",), (last, 0, "model", 1, 1), ("end",))
        assert folder.read().outcome == outcome

    def test_sys_exit_between_two_modules_of_a_forward_is_a_death(self, tmp_path: Path) -> None:
        """A leave inside of the root's forward is still the middle of a step."""
        rows = [("enter", 0, "model", 1, 1), ("enter", 1, "backbone", 1, 1), ("leave", 1, "backbone", 1, 1), ("end",)]
        folder = Records(tmp_path).exit().calls("sys.exit", "atexit").flight(*rows)
        assert folder.read().outcome == "died"

    def test_exception_of_a_thread_is_a_death(self, tmp_path: Path) -> None:
        """The process went on to its end with 0, but a thread of it had died."""
        error = {"pid": 77, "type": "KeyError", "message": "x", "thread": "loader", "is_main": False}
        folder = Records(tmp_path).exit().calls(*FINISHED).lines(PYTHON_ERROR, [error])
        assert folder.read().outcome == "died"

    @pytest.mark.parametrize(("done", "outcome"), [(0, "died"), (2, "died"), (3, "completed"), (4, "completed")])
    def test_fewer_steps_than_expected_are_a_death(self, tmp_path: Path, done: int, outcome: str) -> None:
        """A program that says that it is well, and has not done its steps, has not completed."""
        folder = Records(tmp_path).spec(expect_steps=3).exit().calls(*FINISHED)
        assert folder.flight(("start",), ("step",), ("end",), done=done).read().outcome == outcome

    def test_forked_child_s_lines_are_not_the_program_s(self, tmp_path: Path) -> None:
        """A worker that leaves through os._exit, or dies of an exception, says nothing of its parent's end."""
        error = {"pid": 78, "type": "KeyError", "message": "x", "thread": "MainThread", "is_main": True}
        folder = Records(tmp_path).exit().calls("os._exit", pid=78).lines(PYTHON_ERROR, [error]).calls(*FINISHED)
        trial = folder.read()
        assert trial.outcome == "completed"
        assert trial.fact("python_error") is None

    def test_without_inside_probes_the_code_decides(self, tmp_path: Path) -> None:
        """Nothing else was recorded, so nothing else can be asked."""
        assert Records(tmp_path).spec(inside_probes=False).exit().read().outcome == "completed"


class TestMeaning:
    """One sentence, and no more than the record says."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"code": 0}, "exit code 0"),
            ({"code": 1}, "exit code 1"),
            ({"code": 137}, "exit code 137; a plain code, not signal 9"),
            ({"code": 139}, "exit code 139; a plain code, not signal 11"),
            ({"code": 128}, "exit code 128"),
            ({"code": 255}, "exit code 255"),
            ({"code": None, "signal": "signal 40"}, "ended by signal 40"),
            (
                {"ended_by": "harness", "limit": "steps", "signal": "SIGKILL"},
                "ended by the harness at the limit: steps",
            ),
        ],
    )
    def test_words(self, changes: dict[str, Any], expected: str) -> None:
        """A code above 128 is a code, a signal without a name keeps its number."""
        assert meaning({"code": None, "signal": None, "ntstatus": None, "ended_by": "itself", **changes}) == expected

    @pytest.mark.parametrize("name", sorted(SIGNALS))
    def test_of_signals_names_them(self, name: str) -> None:
        """Each sentence has the signal's name in it, and none says out of memory as a fact."""
        words = meaning({"code": None, "signal": name, "ntstatus": None, "ended_by": EndedBy.OUTSIDE})
        assert name in words
        assert "out of memory" not in words

    def test_of_windows_statuses(self) -> None:
        """A status has its own table."""
        assert "0xC0000005" in meaning({"code": 0xC0000005, "signal": None, "ntstatus": "0xC0000005"})


class TestFacts:
    """What exit.json gives beside the outcome."""

    def test_cite_their_lines(self, tmp_path: Path) -> None:
        """Each fact points at the line of its key."""
        trial = Records(tmp_path).exit(limit="steps", ended_by="harness", left_behind=[5, 6]).read()
        lines = (tmp_path / "trials" / "threads=2" / "1" / "exit.json").read_text().splitlines()
        for name, key in (("duration_seconds", "seconds"), ("left_behind", "left_behind")):
            fact = trial.fact(name)
            assert fact is not None
            assert lines[fact.sources[0].line - 1].strip().startswith(f'"{key}":')
