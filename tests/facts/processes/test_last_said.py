"""What stderr had right before each process died: real programs, and folders as they are left."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from observing import Observed, observe
from record_folders import Records

from harness.facts.processes import last_said
from probes import records

BY_TIME = pytest.mark.skipif(sys.platform != "linux", reason="which process ended first is told by Linux only")
COMPLAINT = "libgomp: Thread creation failed: Resource temporarily unavailable"
WORKER = f"""
import multiprocessing, os, sys, time
def work():
    print("long ago", file=sys.stderr, flush=True)
    time.sleep(2.5)
    os.write(2, b"{COMPLAINT}\\n")
    os._exit(1)
if __name__ == "__main__":
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
    time.sleep(2.5)
    raise RuntimeError("a worker is gone")
"""
THREAD = """
import os, threading
def fail():
    raise LookupError("no such sample")
thread = threading.Thread(target=fail, name="feeder")
thread.start()
thread.join()
os.write(2, b"free(): invalid pointer\\n")
os.abort()
"""
STACKS = (
    "SIGSEGV(11), PID: 77, Thread 77: \nframe #0: f(int) + 0x5 (0x7f in /lib/libtorch.so)\n"
    "frame #1: g() + 0x5 (0x7f in /lib/libtorch.so)\n\n"
)
DEAD: dict[str, Any] = {"code": None, "signal": "SIGSEGV", "seconds": 4.0}


def said(observed: Observed) -> list[dict[str, Any]]:
    """Return what is told, in the order of the deaths."""
    return [fact.value for fact in observed.trial.facts if fact.name == "last_said"]


def run(root: Path, text: str) -> Observed:
    """Run a program as one trial."""
    (root / "target.py").write_text(text)
    return observe(root, root / "target.py")


def spoken(root: Path, text: str, rows: list[tuple[float, float, int]], **ending: Any) -> list[Any]:
    """Return the facts of a folder in which stderr grew so: (since, at, bytes)."""
    told = [{"since": since, "t": at, "stderr": size} for since, at, size in rows]
    made = Records(root).exit(**{**DEAD, **ending}).text(records.STDERR, text).lines(records.SPOKEN, told)
    return last_said.facts(made.folder())


@BY_TIME
def test_a_worker_and_its_parent_each_have_their_own(tmp_path: Path) -> None:
    """Seconds apart: neither what was said long before, nor the words of the other."""
    worker, main = said(run(tmp_path, WORKER))
    assert (worker["words"], worker["how"], worker["is_own"]) == ([COMPLAINT], "exit code 1", False)
    assert main["pid"] != worker["pid"]
    assert len(main["words"]) == 1 and main["words"][0].startswith("RuntimeError: a worker is gone, in <module> (")
    assert main["is_own"] is True


@BY_TIME
def test_what_the_main_process_raises_at_once_is_its_own(tmp_path: Path) -> None:
    """Though it came in the very instant of the worker's end."""
    text = WORKER.replace("time.sleep(2.5)\n    raise", "raise")
    worker, main = said(run(tmp_path, text))
    assert worker["words"] == [COMPLAINT]
    assert [words.partition(",")[0] for words in main["words"]] == ["RuntimeError: a worker is gone"]


def test_a_thread_s_traceback_is_one_sentence(tmp_path: Path) -> None:
    """With what the C library said after it; one process: the words are its own, each at its line."""
    observed = run(tmp_path, THREAD)
    (told,) = said(observed)
    first, error, complaint = told["words"]
    assert first == "Exception in thread feeder:"
    assert error.startswith("LookupError: no such sample, in fail (")
    assert complaint == "free(): invalid pointer"
    assert told["is_own"] is True and "SIGABRT" in told["how"]
    assert observed.cited("last_said") == first


def test_a_program_that_says_nothing_has_no_words(tmp_path: Path) -> None:
    """Nor has one that ended well, whatever it said."""
    assert said(run(tmp_path, "import os\nos._exit(3)")) == []
    (tmp_path / "well").mkdir()
    assert said(run(tmp_path / "well", "import sys\nprint('fine', file=sys.stderr)")) == []


def test_only_the_last_second_counts(tmp_path: Path) -> None:
    """The trial began at 10 and ended at 14; a line that may have come then counts as well."""
    rows = [(10.0, 10.1, 6), (12.0, 12.1, 12), (12.9, 13.1, 18), (13.9, 14.1, 24)]
    (fact,) = spoken(tmp_path, "one..\ntwo..\nthree\nfour.\n", rows)
    assert fact.value["words"] == ["three", "four."]
    assert [source.line for source in fact.sources] == [3, 4]


def test_stacks_that_were_split_off_are_no_words(tmp_path: Path) -> None:
    """The sizes are of stderr as it came; the lines are those of what was left of it."""
    raw = "early\n" + STACKS + "late\n"
    Records(tmp_path).text(records.STDERR_RAW, raw)
    (fact,) = spoken(tmp_path, "early\nlate\n", [(10.0, 10.1, 6), (13.8, 13.9, len(raw))])
    assert (fact.value["words"], fact.sources[0].line) == (["late"], 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10%\r20%\r30%\n", ["30%"]),
        ("\n\n   \nend\n", ["end"]),
        ("".join(f"line {number}\n" for number in range(40)), [f"line {number}" for number in range(34, 40)]),
        ("x" * 900 + "\n", ["x" * 240]),
        ("no line end", ["no line end"]),
        ("caf\xe9 \u6f22\n", ["caf\xe9 \u6f22"]),
    ],
)
def test_what_is_quoted(tmp_path: Path, text: str, words: list[str]) -> None:
    """The last of a progress bar, no empty lines, six lines, each with a bound."""
    (fact,) = spoken(tmp_path, text, [(13.8, 13.9, len(text.encode()))])
    assert fact.value["words"] == words


def test_records_without_times_tell_nothing(tmp_path: Path) -> None:
    """Older ones; and what the harness itself ended has died of nothing."""
    assert spoken(tmp_path, "words\n", []) == []
    assert spoken(tmp_path / "b", "words\n", [(13.8, 13.9, 6)], ended_by="harness", limit="wall time") == []
