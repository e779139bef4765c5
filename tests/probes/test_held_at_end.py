"""What was in use when the program ended, read while an error, an exit or a signal holds it: on real victims."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from observing import Observed, observe

from harness.facts.refused import wording
from probes import records

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits of a process are read on Linux only")
LEAK = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (180, 180))
samples = []
while True:
    samples.append(open(__file__))
"""
SOCKETS = """
import resource, socket
def grow():
    pairs = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    while True:
        pairs.append(socket.socketpair())
grow()
"""
MAPS = """
import mmap
held = []
while True:
    held.append(mmap.mmap(-1, mmap.PAGESIZE))
"""
EXIT = """
import ctypes, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (180, 180))
held = [open(__file__) for _ in range(100)]
ctypes.CDLL(None).exit(3)
"""
EXHAUSTED = """
import ctypes, os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (180, 180))
libc = ctypes.CDLL(None)
while libc.open(b"/dev/null", 0) >= 0:
    pass
libc.exit({code})
"""
FULL = """
import ctypes, os
held = open("/dev/full", "wb", buffering=0)
ctypes.CDLL(None).abort()
"""
WORKER = """
import multiprocessing, resource
def work():
    resource.setrlimit(resource.RLIMIT_NOFILE, (190, 190))
    held = []
    while True:
        held.append(open(__file__))
if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    raise SystemExit(process.exitcode)
"""
SHORT = """
import threading, time
from threading import Thread
together = threading.Barrier(5)
threads = [Thread(target=together.wait) for _ in range(5)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
time.sleep(1.2)
"""


def seen(tmp_path: Path, text: str) -> Observed:
    """Run a program under observation."""
    (tmp_path / "target.py").write_text(text)
    return observe(tmp_path, tmp_path / "target.py")


def uses(found: Observed) -> dict[str, dict]:
    """Return the limits by what they are of, each as it was used most."""
    return {fact.value["resource"]: fact.value for fact in found.trial.facts if fact.name == "limit_use"}


@pytest.mark.parametrize("text", [LEAK, SOCKETS])
def test_descriptors_when_none_is_left(tmp_path: Path, text: str) -> None:
    """The error is recorded though no file could be opened, and the limit was full, whatever the samples saw."""
    found = seen(tmp_path, text)
    error = found.trial.value("python_error")
    assert error["errno"] == 24 and "python_error" not in str(error["filename"])
    assert uses(found)[wording.FILES]["used"] >= uses(found)[wording.FILES]["limit"] - 2
    assert found.rows(records.AT_DEATH)[0]["at"] == "uncaught error"


def test_mappings(tmp_path: Path) -> None:
    """They are gone with the process; while the error holds it they are all there."""
    limit = uses(seen(tmp_path, MAPS))[wording.MAPPINGS]
    assert limit["used"] >= limit["limit"] - 2


def test_an_exit_of_native_code_and_a_signal(tmp_path: Path) -> None:
    """Both hold the process as well."""
    assert 100 <= uses(seen(tmp_path, EXIT))[wording.FILES]["used"] < 180


@pytest.mark.parametrize(("code", "seen_as"), [(4, 4), (-1, 255)])
def test_an_exit_of_native_code_when_no_descriptor_is_left(tmp_path: Path, code: int, seen_as: int) -> None:
    """As a C library leaves where fopen fails: it is held all the same, and nobody waits for long."""
    found = seen(tmp_path, EXHAUSTED.format(code=code))
    call = found.trial.value("exit_call")
    assert (call["call"], call["code"], found.trial.exit.code) == ("exit", seen_as, seen_as)
    use = uses(found)[wording.FILES]
    assert use["used"] >= use["limit"] - 2
    assert found.exit["seconds"] < 20.0


def test_file_without_room(tmp_path: Path) -> None:
    """Only the file that is open for writing, and that has no room, is told."""
    found = seen(tmp_path, FULL)
    assert found.trial.value("full_file") == {"path": "/dev/full", "free_bytes": 0}


def test_of_the_process_that_died_first(tmp_path: Path) -> None:
    """A worker's limits, not those of the process that waited for it."""
    assert uses(seen(tmp_path, WORKER))[wording.FILES]["limit"] == 190


def test_threads_that_live_too_shortly_for_samples(tmp_path: Path) -> None:
    """Python's own are counted as they begin."""
    assert seen(tmp_path, SHORT).trial.value("threads_max") >= 4
