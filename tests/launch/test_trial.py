"""One trial, from the launch to exit.json, with programs that really die."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import pytest
from observing import SECONDS, Observed, is_gone, observe, python_children, victim

from probes import records

KEYS = [
    "system", "pid", "code", "signal", "ntstatus", "ended_by", "limit", "core", "max_rss_bytes", "user_seconds",
    "system_seconds", "left_behind", "started", "started_monotonic", "ended", "seconds",
]  # fmt: skip
# victim and arguments; exit code, signal, who ended it; outcome; the recorded exits
ENDINGS = [
    (("healthy",), (0, None, "itself"), "completed", ["sys.exit", "atexit"]),
    (("many_threads",), (0, None, "itself"), "completed", ["end of main", "atexit"]),
    (("os_exit_zero",), (0, None, "itself"), "died", ["os._exit"]),
    (("instant",), (7, None, "itself"), "died", ["os._exit"]),
    (("sys_exit_thread",), (0, None, "itself"), "died", ["SystemExit in thread", "end of main", "atexit"]),
    (("exit_three",), (3, None, "itself"), "died", ["sys.exit", "atexit"]),
    (("exit_137",), (137, None, "itself"), "died", ["sys.exit", "atexit"]),
    (("exit_message",), (1, None, "itself"), "died", ["sys.exit", "atexit"]),
    (("exception",), (1, None, "itself"), "died", ["atexit"]),
    (("thread_exception",), (0, None, "itself"), "died", ["end of main", "atexit"]),
    (("segv",), (None, "SIGSEGV", "itself"), "died", []),
    (("abort",), (None, "SIGABRT", "itself"), "died", ["os.abort"]),
    (("kill_self", "SIGKILL"), (None, "SIGKILL", "outside"), "died", ["os.kill"]),
    (("kill_self", "SIGTERM"), (None, "SIGTERM", "outside"), "died", ["os.kill"]),
    (("kill_self", "SIGHUP"), (None, "SIGHUP", "outside"), "died", ["os.kill"]),
    (("kill_self", "SIGFPE"), (None, "SIGFPE", "itself"), "died", ["os.kill"]),
    (("kill_self", "SIGILL"), (None, "SIGILL", "itself"), "died", ["os.kill"]),
    (("kill_self", "SIGBUS"), (None, "SIGBUS", "itself"), "died", ["os.kill"]),
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


def run(root: Path, name: str, *arguments: object, **keys: object) -> Observed:
    """Run a victim."""
    return observe(root, victim(name), *arguments, **keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(("program", "how", "outcome", "calls"), ENDINGS, ids=["-".join(row[0]) for row in ENDINGS])
class TestEveryEnding:
    """Each program's whole exit record, its outcome and what it did itself to end."""

    def test_is_recorded_as_it_was(
        self, tmp_path: Path, program: tuple[str, ...], how: tuple[object, ...], outcome: str, calls: list[str]
    ) -> None:
        """The exit record has every field, the outcome follows, and no process is left."""
        before = python_children()
        observed = run(tmp_path, *program)
        record = observed.exit
        assert list(record) == KEYS
        assert (record["code"], record["signal"], record["ended_by"]) == how
        assert (record["ntstatus"], record["limit"], record["left_behind"]) == (None, None, [])
        assert type(record["core"]) is bool and not (record["core"] and record["signal"] is None)
        assert record["max_rss_bytes"] > 1 << 20
        assert record["user_seconds"] >= 0 and record["system_seconds"] >= 0
        assert 0 < record["seconds"] < SECONDS
        times = [datetime.fromisoformat(record[key]) for key in ("started", "ended")]
        assert [time.utcoffset().total_seconds() for time in times if time.utcoffset() is not None] == [0, 0]
        assert 0 <= (times[1] - times[0]).total_seconds() < SECONDS
        assert observed.trial.outcome == outcome
        assert observed.calls() == calls
        assert is_gone(record["pid"])
        assert python_children() == before


class TestStreams:
    """What the program printed."""

    def test_are_kept_byte_for_byte(self, tmp_path: Path) -> None:
        """Neither stream is decoded, cleaned or added to."""
        observed = run(tmp_path, "healthy")
        assert observed.raw(records.STDOUT) == "out: Größe\n".encode() + b"\xff\x00 raw\r\n"
        assert observed.raw(records.STDERR) == "err: µ\n".encode()

    def test_hold_what_was_printed_before_a_crash(self, tmp_path: Path) -> None:
        """A flushed line is there, though the process died in the next instant."""
        assert run(tmp_path, "abort").raw(records.STDOUT) == b"before the abort\n"

    def test_hold_the_words_of_sys_exit(self, tmp_path: Path) -> None:
        """sys.exit("...") prints on stderr, as ever."""
        assert run(tmp_path, "exit_message").raw(records.STDERR) == b"no data\n"


class TestSamples:
    """memory.jsonl, threads.jsonl and the flight ring of a plain program."""

    def test_memory_is_sampled_in_the_order_of_time(self, tmp_path: Path) -> None:
        """Times grow, lie within the trial, and numbers make sense."""
        observed = run(tmp_path, "many_threads")
        rows = [row for row in observed.rows(records.MEMORY) if "rss_bytes" in row]
        times = [row["t"] for row in observed.rows(records.MEMORY)]
        started, seconds = observed.exit["started_monotonic"], observed.exit["seconds"]
        assert len(rows) > 5
        assert times == sorted(times)
        assert started - 0.01 <= times[0] and times[-1] <= started + seconds + 0.01
        assert all(0 < row["rss_bytes"] <= row["vms_bytes"] and row["threads"] >= 1 for row in rows)

    def test_most_threads_are_counted(self, tmp_path: Path) -> None:
        """40 threads beside the main one, with the line that says so."""
        observed = run(tmp_path, "many_threads")
        assert observed.trial.value("threads_max") == 41
        assert '"threads":41' in observed.cited("threads_max")

    def test_flight_ring_begins_and_ends(self, tmp_path: Path) -> None:
        """A program without torch leaves its start and its finalization."""
        flight = run(tmp_path, "healthy").flight()
        assert [record.kind for record in flight] == ["start", "end"]
        assert [record.sequence for record in flight] == [1, 2]
        assert flight[0].t < flight[1].t

    def test_flight_ring_of_a_killed_program_has_no_end(self, tmp_path: Path) -> None:
        """SIGKILL leaves the start alone, and the last event says so."""
        observed = run(tmp_path, "kill_self", "SIGKILL")
        assert [record.kind for record in observed.flight()] == ["start"]
        assert str(observed.trial.last_event) == "start-up"

    def test_forwards_that_nobody_saw_are_a_gap(self, tmp_path: Path) -> None:
        """A program without torch has no timings, and that is said."""
        trial = run(tmp_path, "healthy").trial
        assert trial.forwards == ()
        assert [gap.probe for gap in trial.gaps].count("forwards") == 1

    def test_inside_probes_can_be_left_out(self, tmp_path: Path) -> None:
        """Without them the exit code decides, and no inside record is made but the crash handler's."""
        observed = run(tmp_path, "exit_three", inside_probes=False)
        assert observed.trial.outcome == "died"
        assert not (observed.folder / records.FLIGHT_RING).exists()
        assert (observed.folder / records.FAULT_LOG).exists()
        assert run(tmp_path / "b", "healthy", inside_probes=False).trial.outcome == "completed"


class TestSpec:
    """What the child is told, and started with."""

    def test_names_the_trial_and_its_limits(self, tmp_path: Path) -> None:
        """spec.json can be read by whoever wants to launch the trial again."""
        observed = run(tmp_path, "healthy", factors={"threads": [2]})
        spec = records.read_json(observed.folder / records.SPEC) or {}
        assert spec["trial"] == observed.trial.id == "threads=2/1"
        assert spec["folder"] == str(observed.folder)
        assert spec["command"] == [str(victim("healthy"))]
        assert (spec["factors"], spec["threads"], spec["interop_threads"]) == ({"threads": 2}, 2, None)
        assert spec["limits"]["wall_seconds"] == SECONDS
        assert spec["python"] == sys.executable

    def test_threads_are_set_in_the_environment(self, tmp_path: Path) -> None:
        """The program sees the cell's thread count in the three usual variables."""
        script = tmp_path / "show.py"
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        script.write_text(f"import os\nprint([os.environ[name] for name in {names}])\n")
        observed = observe(tmp_path, script, factors={"threads": [3]})
        assert observed.raw(records.STDOUT).strip() == b"['3', '3', '3']"
        variables = (records.read_json(observed.folder / records.ENVIRONMENT) or {})["variables"]
        assert [variables[name] for name in names] == ["3", "3", "3"]

    def test_program_runs_where_the_harness_was_called(self, tmp_path: Path) -> None:
        """The working directory is the caller's own."""
        script = tmp_path / "where.py"
        script.write_text("import os\nprint(os.getcwd())\n")
        assert observe(tmp_path / "out", script).raw(records.STDOUT).decode().strip() == os.path.realpath(tmp_path)


class TestManyInARow:
    """Nothing leaks from one trial to the next."""

    def test_instant_exits_are_all_recorded(self, tmp_path: Path) -> None:
        """Every program that leaves at once has its right exit record; no process and no descriptor stays."""
        before = python_children()
        run(tmp_path / "first", "instant")
        descriptors = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
        seen = [run(tmp_path / str(number), "instant").exit for number in range(100)]
        assert [(record["code"], record["signal"], record["left_behind"]) for record in seen] == [(7, None, [])] * 100
        assert len({record["pid"] for record in seen}) == 100
        assert python_children() == before
        assert (len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0) == descriptors
