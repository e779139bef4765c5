"""Where the system executes no memory of ours, libc's own pause(2) holds the process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from probes import records
from probes.outside import Watched
from probes.outside.crash.hold import HoldProbe

ROOT = Path(__file__).resolve().parents[3]
CHILD = """
import sys
sys.path.insert(0, {probes!r})
import inside.hold
inside.hold._load = lambda *_: {{}}
from inside import faults
faults.enable({log!r}, held=True)
{crash}
"""
CRASHES = {
    "segv": ("import ctypes; ctypes.string_at(0x1230)", "SIGSEGV", True),
    "abort": ("import os; os.abort()", "SIGABRT", True),
    "segv_thread": (
        "import ctypes, threading; threading.Thread(target=ctypes.string_at, args=(16,)).start()", "SIGSEGV", False,
    ),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="a crash is held on Linux only")
@pytest.mark.parametrize("name", CRASHES)
def test_held_by_pause(tmp_path: Path, name: str) -> None:
    """Thread, stacks and true signal; registers and address are a Gap of the inside."""
    crash, number, is_main = CRASHES[name]
    code = CHILD.format(probes=str(ROOT / "probes"), log=str(tmp_path / "fault.log"), crash=crash)
    (tmp_path / records.STDERR).touch()
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL)
    probe = HoldProbe(Watched(process.pid, tmp_path, 0.01, time.perf_counter()))
    deadline = time.monotonic() + 30
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        assert time.monotonic() < deadline
        probe.sample(time.perf_counter())
        time.sleep(0.01)
    probe.close()
    record = records.read_json(tmp_path / "native" / "main" / records.FAULT)
    assert record is not None and records.read_lines(tmp_path / records.GAPS).rows == ()
    assert (process.wait(), record["signal"], record["held"]) == (-{"SIGSEGV": 11, "SIGABRT": 6}[number], number, True)
    assert (record["thread"]["is_main"], record["thread"]["known_to_python"]) == (is_main, True)
    assert (record["pc"], record["address"], record["registers"], record["stack"]) == (None, None, {}, None)
    assert [row.value["probe"] for row in records.read_lines(tmp_path / records.INSIDE).rows] == ["fault address"]
