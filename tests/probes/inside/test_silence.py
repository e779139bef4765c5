"""A target that has no power to send deadly signals: its own do nothing, those from outside and faults do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from observing import ROOT

from probes import records

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is of Linux")
BOOT = ROOT / "probes" / "inside" / "boot.py"
OWN = """
import ctypes, os, signal
libc = ctypes.CDLL(None)
os.kill(os.getpid(), signal.SIGTERM)
getattr(libc, "raise")(int(signal.SIGKILL))
libc.tgkill if hasattr(libc, "tgkill") else None
libc.syscall(ctypes.c_long({tgkill}), os.getpid(), os.getpid(), 1)
if os.fork() == 0:
    os.kill(os.getppid(), signal.SIGKILL)
    os._exit(0)
os.wait()
print("alive", os.kill(os.getpid(), 0), flush=True)
"""
TGKILL = {"x86_64": 234, "aarch64": 131}
WAITS = "import time\nprint('ready', flush=True)\ntime.sleep(30)\n"
FAULTS = "import ctypes\nctypes.string_at(0)\n"
RAISES = "import os\nos.abort()\n"


@pytest.fixture(name="start")
def _start(tmp_path: Path) -> Iterator[object]:
    with ExitStack() as stack:

        def start(text: str) -> subprocess.Popen[bytes]:
            script = tmp_path / "target.py"
            script.write_text(text)
            records.write_json(tmp_path / records.SPEC, {"folder": str(tmp_path), "own_signals": False})
            command = [sys.executable, str(BOOT), str(tmp_path / records.SPEC), "--", str(script)]
            popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            stack.enter_context(popen)
            stack.callback(popen.kill)
            return popen

        yield start


def test_own_signals_do_nothing(tmp_path: Path, start) -> None:  # type: ignore[no-untyped-def]
    """Its own, its child's, in Python and in C; signal 0 still asks; the record says that the filter is in force."""
    popen = start(OWN.replace("{tgkill}", str(TGKILL[os.uname().machine])))
    assert popen.communicate(timeout=30)[0] == b"alive None\n"
    assert popen.returncode == 0
    rows = [row.value for row in records.read_lines(tmp_path / records.INSIDE).rows]
    assert [row["applied"] for row in rows if row["event"] == "own signals forbidden"] == [True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_signal_from_outside_ends_it(start, number: signal.Signals) -> None:  # type: ignore[no-untyped-def]
    """The filter is the target's alone."""
    popen = start(WAITS)
    assert popen.stdout.readline() == b"ready\n"
    popen.send_signal(number)
    assert popen.wait(30) == -number


@pytest.mark.parametrize(("text", "number"), [(FAULTS, signal.SIGSEGV), (RAISES, signal.SIGABRT)])
def test_faults_and_aborts_are_untouched(start, text: str, number: signal.Signals) -> None:  # type: ignore[no-untyped-def]
    """They are no signals from outside, and what they tell must not change."""
    assert start(text).wait(30) == -number
