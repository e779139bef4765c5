"""Python processes that the target starts have records of their own, and do not touch its."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from probes import records
from probes.outside.progress.flight import read_ring

ROOT = Path(__file__).resolve().parents[3]
BOOT = ROOT / "probes" / "inside" / "boot.py"
FORK = """
import os
pid = os.fork()
if pid == 0:
    os._exit(9)
print(pid, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
WORKER = """
import multiprocessing, os, sys

def work(number):
    sys.exit(number)

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    worker = context.Process(target=work, args=(4,))
    worker.start()
    pid = worker.pid
    worker.join(30)
    print(pid, worker.exitcode, flush=True)
"""
FAILING = WORKER.replace("sys.exit(number)", 'raise ValueError("in the worker")')
CRASHING = WORKER.replace("sys.exit(number)", "os.abort()")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


def run(folder: Path, text: str) -> tuple[int, int]:
    """Run a script under the boot; return its child's process id and exit code, as it printed them itself."""
    (folder / "records").mkdir()
    spec = {"folder": str(folder / "records"), "inside_probes": True}
    (folder / "records" / "spec.json").write_text(json.dumps(spec))
    (folder / "script.py").write_text(text)
    command = [sys.executable, str(BOOT), str(folder / "records" / "spec.json"), "--", "script.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    pid, code = done.stdout.split()
    return int(pid), int(code)


def calls(folder: Path) -> list[str]:
    """Return the recorded exits of a folder."""
    return [row.value["call"] for row in records.read_lines(folder / records.EXITS).rows]


def child_of(folder: Path, pid: int) -> tuple[Path, dict[str, Any]]:
    """Return a child's folder and its process.json."""
    own = folder / "records" / "processes" / str(pid)
    return own, json.loads((own / "process.json").read_text())


@POSIX
def test_forked_child_writes_into_its_own_folder(tmp_path: Path) -> None:
    """Its os._exit stands there, the parent's records hold the parent's end alone."""
    pid, code = run(tmp_path, FORK)
    own, process = child_of(tmp_path, pid)
    assert code == 9
    assert (process["pid"], process["how"]) == (pid, "fork")
    assert process["parent"] not in (pid, os.getpid())
    assert calls(own) == ["os._exit"]
    assert calls(tmp_path / "records") == ["end of main", "atexit"]
    kinds = [row.kind for row in read_ring(tmp_path / "records" / "flight.ring", tmp_path / "records" / "flight.names")]
    assert kinds == ["start", "end"]


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=POSIX)])
def test_worker_s_end_is_recorded(tmp_path: Path, method: str) -> None:
    """A multiprocessing worker works as ever, and its records say how it came to be."""
    pid, code = run(tmp_path, WORKER.format(method=method))
    own, process = child_of(tmp_path, pid)
    assert code == 4
    assert (process["pid"], process["how"]) == (pid, method)
    assert read_ring(own / "flight.ring", own / "flight.names") != []
    assert calls(tmp_path / "records") == ["end of main", "atexit"]


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=POSIX)])
def test_worker_s_crash_is_in_its_own_log(tmp_path: Path, method: str) -> None:
    """The Python stack of a worker that aborts; the parent's log stays empty."""
    pid, code = run(tmp_path, CRASHING.format(method=method))
    own, _ = child_of(tmp_path, pid)
    assert code != 0
    assert "in work" in (own / records.FAULT_LOG).read_text()
    assert (tmp_path / "records" / records.FAULT_LOG).read_text() == ""


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=POSIX)])
def test_worker_s_exception_is_not_the_parent_s(tmp_path: Path, method: str) -> None:
    """An exception that ends a worker leaves no error in the parent's records."""
    _, code = run(tmp_path, FAILING.format(method=method))
    assert code == 1
    assert records.read_lines(tmp_path / "records" / records.PYTHON_ERROR).rows == ()


@POSIX
def test_children_beyond_the_most_leave_the_parent_s_ring_alone(tmp_path: Path) -> None:
    """Where too many children were forked to give each a folder, they still write nothing into the parent's ring."""
    loop = "for _ in range(201):\n    if os.fork() == 0:\n        os._exit(0)\n    os.wait()\n"
    many = f"import shutil\n{loop}pid = os.fork()"
    text = FORK.replace("pid = os.fork()", many).replace("os._exit(9)", "raise SystemExit(9)")
    run(tmp_path, text + 'shutil.copy("records/flight.ring", "before_the_end.ring")\n')
    ring = read_ring(tmp_path / "before_the_end.ring", tmp_path / "records" / "flight.names")
    assert [row.kind for row in ring] == ["start"]
