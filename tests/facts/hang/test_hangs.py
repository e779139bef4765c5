"""Programs that really stand still, through the whole pipeline: what is seen of them, and what is made of it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from observing import Observed, is_gone, observe, python_children, source_line, victim

from harness.decide.hypotheses import Case, hang
from harness.model import Source
from probes import records

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SECONDS = 20.0
LIMITS = {"no_progress_seconds": 1.0}
# program and arguments; kind; of each thread that shows it: its name, and the words for what it does
HANGS = [
    (("hang_locks",), "deadlock", [
        ("MainThread", "waits for another thread to end (futex) in Thread._wait_for_tstate_lock"),
        ("one", "waits for a lock (futex) in take"), ("two", "waits for a lock (futex) in take"),
    ]),
    (("hang_condition",), "deadlock", [
        ("MainThread", "waits to be woken by another thread (futex) in Condition.wait"),
    ]),
    (("hang_fork",), "deadlock", [
        ("MainThread", "waits for a child process to end (wait4) in <module>"),
        ("MainThread", "waits for a lock (futex) in <module>"),
    ]),
    (("hang_spin",), "spinning", [("MainThread", "of a core without a pause, holding the GIL, in <module>")]),
    (("hang_native_loop",), "native loop holding the GIL", [
        ("matcher", "of a core without a pause, holding the GIL, in native code, "),
        ("MainThread", "waits for the GIL in Condition.wait"),
    ]),
    (("hang_read",), "deadlock", [("MainThread", "waits for input or output (read pipe:[")]),
    (("hang_read", "thread"), "deadlock", [
        ("reader", "waits for input or output (read pipe:["), ("MainThread", "waits for another thread to end (futex)"),
    ]),
    (("hang_sleep",), "waiting in sleep", [("MainThread", "sleeps (clock_nanosleep) in <module>")]),
    (("hang_sleep", "native"), "waiting in sleep", [
        ("MainThread", "sleeps (clock_nanosleep), holding the GIL, in "),
    ]),
]  # fmt: skip
# where each of them stands still, in its own text
LINES = {
    "hang_locks": "with other:", "hang_condition": "condition.wait()", "hang_fork": "lock.acquire()",
    "hang_native_loop": "re.match(", "hang_read": "os.read(", "hang_read thread": "os.read(",
    "hang_sleep": "time.sleep(", "hang_sleep native": "ctypes.PyDLL(",
}  # fmt: skip
ESTABLISHED = ("deadlock", "spinning", "native loop holding the GIL", "blocked I/O")


Hung = Callable[[tuple[str, ...]], Observed]


@pytest.fixture(scope="module")
def hung(tmp_path_factory: pytest.TempPathFactory) -> Hung:
    """Run each program once, however many tests look at its records."""

    @functools.cache
    def run(program: tuple[str, ...]) -> Observed:
        before = python_children()
        observed = observe(tmp_path_factory.mktemp("hung"), victim(program[0]), *program[1:], limits=LIMITS)
        assert python_children() == before
        return observed

    return run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


def line_of(observed: Observed, source: Source) -> str:
    """Return the line of a record that a source points at."""
    return (observed.root / source.file).read_text(encoding="utf-8").splitlines()[source.line - 1]


@pytest.mark.parametrize(("program", "kind", "threads"), HANGS, ids=[" ".join(row[0]) for row in HANGS])
def test_every_hang_is_told_apart(
    hung: Hung, program: tuple[str, ...], kind: str, threads: list[tuple[str, str]]
) -> None:
    """It is ended by the harness, in bounded time, and leaves no process; its kind, and who waits where, are facts."""
    observed = hung(program)
    record, trial = observed.exit, observed.trial
    assert (record["signal"], record["ended_by"], record["limit"]) == ("SIGKILL", "harness", "no progress")
    assert (trial.outcome, trial.value("hang_looks")) == ("hung", 3)
    assert 3.0 <= record["seconds"] < SECONDS
    assert is_gone(record["pid"])
    check_facts(observed, kind, threads)
    check_place(observed, " ".join(program))
    finding = hang.judge(Case((trial,), {}))
    assert finding.status == ("established" if kind in ESTABLISHED else "supported")
    assert any(kind in reason.text for reason in finding.reasons)
    assert bool(finding.gaps) == (kind != "deadlock"), "what is no deadlock could still be something very slow"


def check_facts(observed: Observed, kind: str, threads: list[tuple[str, str]]) -> None:
    """The kind, the sentences in their order, and that each source is a line that exists and speaks of a thread."""
    waits = [fact for fact in observed.trial.facts if fact.name == "hang_wait"]
    assert (observed.trial.value("hang_kind"), len(waits)) == (kind, len(threads))
    for fact, (name, words) in zip(waits, threads, strict=True):
        assert fact.value.startswith(f"{name} (") and words in fact.value, fact.value
        cited = {source.file.rpartition("/")[2]: line_of(observed, source) for source in fact.sources}
        assert {"threads.txt", "python_stacks.json"} <= set(cited)
        assert cited["threads.txt"].startswith("/proc/") and "os_thread_id" in cited["python_stacks.json"]
        assert ("pipe:[" in fact.value) == ("pipe:[" in cited.get("descriptors.txt", ""))
    assert [gap for gap in observed.trial.gaps if gap.probe != "forwards"] == []
    assert 1.0 <= observed.trial.value("idle_seconds") < SECONDS


def check_place(observed: Observed, program: str) -> None:
    """The sentences name the line of the program at which it stands still."""
    path = victim(program.split()[0])
    if program in LINES:
        place = f"({path}:{source_line(path, LINES[program])})"
        waits = [fact.value for fact in observed.trial.facts if fact.name == "hang_wait"]
        assert any(place in text for text in waits), place


def test_records_of_a_hang(hung: Hung) -> None:
    """Three looks, a second apart; the first holds everything, the others what changes; a profile where it is busy."""
    observed = hung(("hang_spin",))
    rows = observed.rows(records.HANG)
    assert [row["event"] for row in rows] == ["look", "look", "look", "looked"]
    assert all(1.0 <= later["t"] - row["t"] < 8.0 for row, later in zip(rows, rows[1:3], strict=False))
    assert [rows[-1][key] for key in ("verdict", "first", "last")] == ["no progress", 1, 3]
    names = [{path.name for path in (observed.folder / row["folder"]).iterdir()} for row in rows[:3]]
    always = {"threads.txt", "python_stacks.json", "native_stacks.json"}
    once = {"maps.txt", "status.txt", "limits.txt", "smaps_rollup.txt", "descriptors.txt"}
    assert names[0] >= always | once and names[2] == always
    assert names[1] - {"profile.log"} == always | {"profile.txt"}
    (limit,) = observed.rows(records.LIMITS)
    assert (limit["limit"], limit["allowed_idle_seconds"], limit["median_step_seconds"]) == ("no progress", 1.0, None)
    assert limit["idle_seconds"] >= 1.0


def test_children_are_looked_at_too(hung: Hung) -> None:
    """The child's own threads lie beside the parent's."""
    observed = hung(("hang_fork",))
    (child,) = observed.rows(records.HANG)[0]["children"]
    for number in (1, 2, 3):
        folder = observed.folder / "native" / f"hang-{number}" / f"child-{child}"
        assert f"/proc/{child}/task/{child}/stat:" in (folder / "threads.txt").read_text()
        assert (folder / "python_stacks.json").exists()
    assert is_gone(child)


class TestMerelySlow:
    """Programs that move while they are looked at."""

    def test_is_not_ended(self, tmp_path: Path) -> None:
        """A line every two and a half seconds, a limit of one: each time it is suspected, and each time let go on."""
        observed = observe(tmp_path, victim("slow_printer"), "2.5", "2", limits=LIMITS)
        assert (observed.exit["code"], observed.exit["ended_by"], observed.exit["limit"]) == (0, "itself", None)
        assert (observed.trial.outcome, observed.trial.value("hang_kind")) == ("completed", "merely slow")
        assert observed.text(records.STDOUT) == "0\n1\n"
        verdicts = [row["verdict"] for row in observed.rows(records.HANG) if row["event"] == "looked"]
        assert verdicts == ["progress"] * len(verdicts) and len(verdicts) >= 1

    def test_is_not_even_suspected_below_the_limit(self, tmp_path: Path) -> None:
        """A line every second, a limit of one and a half: there is nothing to look at."""
        observed = observe(tmp_path, victim("slow_printer"), "1", "3", limits={"no_progress_seconds": 1.5})
        assert (observed.trial.outcome, observed.trial.value("hang_kind")) == ("completed", None)
        assert not (observed.folder / records.HANG).exists()
