"""What a death leaves for the reader: the crash handler's log, exceptions, exits and their lines."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from observing import Observed, observe, source_line, victim

from probes import records


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


def run(root: Path, name: str, *arguments: object) -> Observed:
    """Run a victim."""
    return observe(root, victim(name), *arguments)


class TestCrash:
    """fault.log: the Python stacks at the instant of a fatal signal."""

    @pytest.mark.parametrize(
        ("name", "words", "first", "function"),
        [
            ("segv", "Fatal Python error: Segmentation fault", "return ctypes.string_at(0)", "read_nothing"),
            ("abort", "Fatal Python error: Aborted", "os.abort()", "<module>"),
        ],
    )
    def test_names_the_python_line(self, tmp_path: Path, name: str, words: str, first: str, function: str) -> None:
        """The log names the signal, the thread, and the line of the program that called into native code."""
        observed = run(tmp_path, name)
        log = observed.text(records.FAULT_LOG)
        line = source_line(victim(name), first)
        assert words in log
        assert "(most recent call first):" in log
        assert f'File "{victim(name)}", line {line} in {function}' in log

    def test_is_empty_where_nothing_crashed(self, tmp_path: Path) -> None:
        """A healthy program leaves nothing in it."""
        assert run(tmp_path, "healthy").raw(records.FAULT_LOG) == b""

    def test_leaves_stderr_to_the_program(self, tmp_path: Path) -> None:
        """A crash of a program without torch adds nothing to its stderr."""
        assert run(tmp_path, "segv").raw(records.STDERR) == b""

    @pytest.mark.parametrize("name", ["segv", "abort"])
    def test_records_no_python_ending(self, tmp_path: Path, name: str) -> None:
        """No exit and no exception is recorded: that absence tells a crash from an exit."""
        observed = run(tmp_path, name)
        assert {"end of main", "sys.exit", "os._exit", "atexit"} & set(observed.calls()) == set()
        assert observed.trial.fact("python_error") is None

    @pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT"])
    def test_sent_signals_kill_as_they_would_alone(self, tmp_path: Path, name: str) -> None:
        """A fatal signal that was only sent ends the program by that very signal too."""
        observed = run(tmp_path, "kill_self", name)
        assert observed.exit["signal"] == name
        assert observed.exit["code"] is None

    def test_meaning_claims_no_cause(self, tmp_path: Path) -> None:
        """The words for a signal say what it is, not who is to blame."""
        assert run(tmp_path, "segv").trial.exit.meaning == "invalid memory access (SIGSEGV)"
        meaning = run(tmp_path / "k", "exit_shell").trial.exit.meaning
        assert "OOM killer" in meaning and "does not tell" in meaning

    def test_signature_has_how_and_where(self, tmp_path: Path) -> None:
        """Two deaths are compared by how they ended and in which phase."""
        signature = run(tmp_path, "segv").trial.signature
        assert signature is not None and signature.point == "SIGSEGV in start-up"


class TestException:
    """python_error.json: one line an exception that nobody caught."""

    def test_of_the_main_program_is_recorded(self, tmp_path: Path) -> None:
        """Type, message letter by letter, thread and the program's own line."""
        observed = run(tmp_path, "exception")
        fact = observed.trial.fact("python_error")
        expected = {
            "type": "ValueError", "message": "Größe −3 µm ist ungültig, 猫", "thread": "MainThread", "is_main": True,
            "errno": None, "filename": None, "bases": ["ValueError", "Exception", "BaseException", "object"],
            "chain": [],
        }  # fmt: skip
        assert fact is not None and fact.value == {**expected, "pid": observed.exit["pid"]}
        cited = json.loads(observed.cited("python_error"))
        assert cited["message"] == expected["message"]
        line = source_line(victim("exception"), "raise ValueError")
        assert f'File "{victim("exception")}", line {line}, in measure' in "".join(cited["traceback"])

    def test_of_a_thread_is_recorded(self, tmp_path: Path) -> None:
        """The process exits with 0, and still the trial has died, of that thread's exception."""
        observed = run(tmp_path, "thread_exception")
        error = observed.trial.value("python_error")
        assert (error["type"], error["thread"], error["is_main"]) == ("KeyError", "loader", False)
        assert observed.trial.exit.meaning == "exit code 0"
        assert "sample 17" in observed.text(records.STDERR)

    def test_prints_the_traceback_that_it_would_print_alone(self, tmp_path: Path) -> None:
        """stderr shows the program's own frames and none of ours."""
        text = run(tmp_path, "exception").text(records.STDERR)
        assert text.startswith("Traceback (most recent call last):\n")
        assert text.endswith("ValueError: Größe −3 µm ist ungültig, 猫\n")
        assert text.count("  File ") == text.count(str(victim("exception"))) == 2


class TestExit:
    """exits.jsonl: who called for the end, and from where."""

    @pytest.mark.parametrize(
        ("name", "expected", "words"),
        [
            ("os_exit_zero", {"call": "os._exit", "code": 0, "thread": "MainThread"}, "os._exit(0)\\n"),
            ("instant", {"call": "os._exit", "code": 7, "thread": "MainThread"}, "os._exit(7)\\n"),
            ("exit_three", {"call": "sys.exit", "code": 3, "thread": "MainThread"}, "sys.exit(3)\\n"),
            ("exit_137", {"call": "sys.exit", "code": 137, "thread": "MainThread"}, "sys.exit(137)\\n"),
            ("exit_message", {"call": "sys.exit", "code": 1, "thread": "MainThread"}, "no data"),
            ("sys_exit_thread", {"call": "SystemExit in thread", "code": 5, "thread": "quitter"}, "target"),
        ],
    )
    def test_is_recorded_with_its_stack(self, tmp_path: Path, name: str, expected: object, words: str) -> None:
        """The call, its code, its thread; the cited line holds the stack that leads to it."""
        observed = run(tmp_path, name)
        fact = observed.trial.fact("exit_call")
        assert fact is not None and {key: fact.value[key] for key in ("call", "code", "thread")} == expected
        place = fact.value["place"]
        assert place is None or place[0] == str(victim(name))
        assert words in observed.cited("exit_call")

    def test_plain_code_above_128_is_no_signal(self, tmp_path: Path) -> None:
        """137 by sys.exit is told from a SIGKILL."""
        exit_ = run(tmp_path, "exit_137").trial.exit
        assert (exit_.code, exit_.signal) == (137, None)
        assert exit_.meaning == f"exit code 137; a plain code, not signal {signal.SIGKILL.value}"

    def test_lines_before_os_exit_are_kept(self, tmp_path: Path) -> None:
        """What was flushed before the exit is in stdout.log, and the line of the exit is in the stack."""
        observed = run(tmp_path, "os_exit_zero")
        assert observed.text(records.STDOUT) == "step 0\nstep 1\nstep 2\nstep 3\n"
        line = source_line(victim("os_exit_zero"), "        os._exit(0)")
        assert f'os_exit_zero.py\\", line {line},' in observed.cited("exit_call")


class TestDuration:
    """Facts that cite the line which holds them."""

    def test_cites_its_line(self, tmp_path: Path) -> None:
        """`duration_seconds` points into exit.json, `peak_rss_bytes` at the sample: the tests are a bigger supervisor
        than the child, and the kernel's number starts at the supervisor's size.
        """
        observed = run(tmp_path, "healthy")
        assert observed.cited("duration_seconds").strip() == f'"seconds": {observed.trial.value("duration_seconds")}'
        assert observed.trial.peak_rss_bytes is not None
        assert observed.exit["max_rss_bytes"] >= observed.trial.peak_rss_bytes
        assert f'"rss_bytes":{observed.trial.peak_rss_bytes},' in observed.cited("peak_rss_bytes")
