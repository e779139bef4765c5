"""What steers the child's threads, variables and counts at import and first forward, pools at forks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from probes import records
from probes.inside.steering import MOST_FORKS

ROOT = Path(__file__).resolve().parents[3]
BOOT = ROOT / "probes" / "inside" / "boot.py"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
NATIVE = """
import ctypes, os, threading
def fork():
    if os.fork() == 0:
        os._exit(0)
    os.wait()
libc = ctypes.CDLL(None)
def pool(count):
    for _ in range(count):
        libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, libc.pause, None)
"""
CHANGE = """
import os, threading
os.environ["KMP_DUPLICATE_LIB_OK"] = "True"
import torch
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["LATER_X"] = "not of threads"
torch.set_num_threads(2)
threading.stack_size(1 << 20)
torch.nn.ReLU()(torch.ones(2))  # no model: it has no parameters
torch.set_num_threads(1)
model = torch.nn.Sequential(torch.nn.Linear(2, 2))
model(torch.ones(2))
os.environ["OMP_NUM_THREADS"] = "7"
torch.set_num_threads(2)
model(torch.ones(2))
torch.nn.Linear(2, 2)(torch.ones(2))
"""
POOL = """
import os, time, torch
torch.set_num_threads(2)
time.sleep(0.2)
def fork():
    if os.fork() == 0:
        os._exit(0)
    os.wait()
fork()
torch.ones(1000000).exp()
time.sleep(0.2)
fork()
"""


def run(folder: Path, text: str, **environment: str) -> list[dict[str, Any]]:
    """Run a script under the boot; return the parent's lines of inside.jsonl."""
    (folder / "records").mkdir()
    spec = {"folder": str(folder / "records"), "inside_probes": True, "threads": None, "plant": None}
    (folder / "records" / "spec.json").write_text(json.dumps(spec))
    (folder / "script.py").write_text(text)
    command = [sys.executable, str(BOOT), str(folder / "records" / "spec.json"), "--", "script.py"]
    variables = {**os.environ, **environment}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return [row.value for row in records.read_lines(folder / "records" / records.INSIDE).rows]


def events(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the lines about one event."""
    return [row for row in rows if row["event"] == name]


def counts(rows: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Return (native threads, Python's) of each fork."""
    return [(row["native_threads"], row["python_threads"]) for row in events(rows, "fork")]


@LINUX
class TestForks:
    """Each fork, in the parent."""

    def test_native_threads_are_told_from_python_s(self, tmp_path: Path) -> None:
        """None, three native ones, and one of Python's beside them."""
        more = "fork()\npool(3)\nfork()\nthreading.Thread(target=libc.sleep, args=(5,), daemon=True).start()\nfork()\n"
        rows = run(tmp_path, NATIVE + more)
        assert counts(rows) == [(1, 1), (4, 1), (5, 2)]
        assert {(row["torch"], row["threads"]) for row in events(rows, "fork")} == {(False, None)}

    def test_a_child_s_forks_are_its_own(self, tmp_path: Path) -> None:
        """They stand in its own folder."""
        more = "pool(1)\nif os.fork() == 0:\n    fork()\n    os._exit(0)\nos.wait()\n"
        assert counts(run(tmp_path, NATIVE + more)) == [(2, 1)]
        own = [records.read_lines(path / records.INSIDE).rows for path in (tmp_path / "records/processes").iterdir()]
        found = [counts([row.value for row in rows]) for rows in own]
        assert sorted(found) == [[], [(1, 1)]]  # that of the child's child, and the child's

    def test_subprocesses_are_no_forks(self, tmp_path: Path) -> None:
        """They run another program at once, and inherit no locks."""
        assert counts(run(tmp_path, "import subprocess\nsubprocess.run(['true'])\n")) == []

    def test_from_within_the_lock_of_threading(self, tmp_path: Path) -> None:
        """A fork from code that interrupted threading itself does not wait for ever."""
        rows = run(tmp_path, NATIVE + "with threading._active_limbo_lock:\n    pid = os.fork() or os._exit(0)\n")
        assert counts(rows) == [(1, 1)]

    def test_not_without_end(self, tmp_path: Path) -> None:
        """A program that forks without end does not fill the disk."""
        script = "import os\nfor _ in range(2040):\n    os.fork() or os._exit(0)\n    os.wait()\n"
        assert len(counts(run(tmp_path, script))) == MOST_FORKS


@pytest.mark.torch
class TestTorch:
    """With torch itself."""

    def test_variables_and_counts_at_import_and_first_forward(self, tmp_path: Path) -> None:
        """Each once, as they are then; what holds no parameters is no model."""
        rows = run(tmp_path, CHANGE, OMP_NUM_THREADS="2", TBB_NUM_THREADS="3", LATER="not of threads")
        at_import, first = events(rows, "environment")
        assert (at_import["at"], first["at"]) == ("import", "first forward")
        started = {"KMP_DUPLICATE_LIB_OK": "True", "OMP_NUM_THREADS": "2", "TBB_NUM_THREADS": "3"}
        assert started.items() <= at_import["variables"].items()
        assert {**started, "OMP_NUM_THREADS": "1"}.items() <= first["variables"].items()
        assert not any(name.startswith("LATER") for row in (at_import, first) for name in row["variables"])
        assert (at_import["threads"], first["threads"]) == (2, 1)
        assert (at_import["python_stack_bytes"], first["python_stack_bytes"]) == (0, 1 << 20)
        assert first["interop_threads"] >= 1

    @LINUX
    def test_a_pool_shows_at_a_fork(self, tmp_path: Path) -> None:
        """A thread waits in libgomp once a parallel region has run; the pool that set_num_threads starts is another."""
        rows = run(tmp_path, POOL, OMP_NUM_THREADS="2")
        before, after = events(rows, "fork")
        assert (before["torch"], before["threads"]) == (True, 2)
        assert (before["gomp_waiting"], after["gomp_waiting"]) == (0, 1)
