"""The five verbs on Windows, with real children; skipped elsewhere (`test_wine.py` runs this file under Wine)."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.facts.ended.ntstatus import ENDED_BY_HARNESS
from harness.launch.process import Child, Launch, Reaped

if sys.platform != "win32":
    pytest.skip("needs Windows", allow_module_level=True)

from harness.launch import windows

SECONDS = 30.0
ROOT = Path(__file__).parents[2]
IMPORTS = "import faulthandler, os, sys, subprocess, time\n"


def wait_until(condition: Callable[[], bool]) -> bool:
    """Poll until a condition holds; False where it does not within the limit."""
    deadline = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def start(folder: Path, code: str, python: str = sys.executable, **environment: str) -> Child:
    """Start a child that runs a few lines of Python."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [python, "-c", IMPORTS + code]
    return windows.start(
        Launch(command, {**inherited, **environment}, folder, folder / "stdout.log", folder / "stderr.log")
    )


def finish(child: Child) -> Reaped:
    """Wait for a child's own end, sweep and reap it."""
    assert wait_until(lambda: windows.has_ended(child))
    windows.sweep(child)
    return windows.reap(child)


def run(folder: Path, code: str) -> Reaped:
    """Run a child from its start to its reaping."""
    return finish(start(folder, code))


def output(folder: Path) -> bytes:
    """Return what the child wrote to its stdout."""
    return (folder / "stdout.log").read_bytes()


class TestReap:
    """What is told of a dead child."""

    @pytest.mark.parametrize("code", [0, 1, 3, 259, 0x3FFFFFFF])
    def test_an_exit_code_is_told_as_it_is(self, tmp_path: Path, code: int) -> None:
        """259 (STILL_ACTIVE) included."""
        reaped = run(tmp_path, f"os._exit({code})")
        assert (reaped.code, reaped.ntstatus, reaped.signal, reaped.core) == (code, None, None, None)

    def test_a_negative_exit_code_is_no_status(self, tmp_path: Path) -> None:
        """It is told unsigned."""
        reaped = run(tmp_path, "sys.exit(-1)")
        assert (reaped.code, reaped.ntstatus) == (0xFFFFFFFF, None)

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("faulthandler._read_null()", 0xC0000005),
            ("os.abort()", 0xC0000409),
            ("faulthandler._raise_exception(0xC0000374)", 0xC0000374),
            ("faulthandler._raise_exception(0xC00000FD)", 0xC00000FD),
            ("faulthandler._raise_exception(0xC000001D)", 0xC000001D),
        ],
    )
    def test_a_crash_is_told_by_its_status(self, tmp_path: Path, code: str, status: int) -> None:
        """As exit code and as NTSTATUS."""
        reaped = run(tmp_path, code)
        assert (reaped.code, reaped.ntstatus) == (status, status)

    def test_abort_with_faulthandler_is_code_3(self, tmp_path: Path) -> None:
        """And no status: the C runtime's raise() ends the process."""
        reaped = run(tmp_path, "faulthandler.enable(); os.abort()")
        assert (reaped.code, reaped.ntstatus) == (3, None)
        assert b"Fatal Python error: Aborted" in (tmp_path / "stderr.log").read_bytes()

    def test_peak_and_times_are_the_childs(self, tmp_path: Path) -> None:
        """64 MiB touched and some work done can be seen."""
        reaped = run(tmp_path, "block = bytearray(b'x') * (64 << 20)\nsum(range(5_000_000)); time.sleep(0.2)")
        assert (reaped.max_rss_bytes or 0) > 64 << 20
        assert (reaped.user_seconds or 0) > 0
        assert reaped.system_seconds is not None

    def test_popen_knows_the_code_too(self, tmp_path: Path) -> None:
        """`Popen.wait` does not tell another story."""
        child = start(tmp_path, "os._exit(7)")
        finish(child)
        assert child.popen.wait() == 7


class TestEnd:
    """Ending a child that does not end."""

    def test_a_sleeping_child_is_ended_with_the_harness_own_code(self, tmp_path: Path) -> None:
        """Alive before, ended after."""
        child = start(tmp_path, "time.sleep(600)")
        time.sleep(0.2)
        assert not windows.has_ended(child)
        windows.end(child)
        assert finish(child).code == ENDED_BY_HARNESS

    def test_a_death_before_the_end_keeps_its_own_code(self, tmp_path: Path) -> None:
        """Ending the dead, even twice, is harmless and changes nothing."""
        child = start(tmp_path, "os._exit(5)")
        assert wait_until(lambda: windows.has_ended(child))
        windows.end(child)
        windows.end(child)
        assert finish(child).code == 5


class TestSweep:
    """What the child leaves behind."""

    ORPHAN = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], stdin=subprocess.DEVNULL,"
        " stdout={stream}, stderr={stream})\nprint(child.pid, flush=True)\nos._exit(0)"
    )

    @pytest.mark.parametrize("stream", ["subprocess.DEVNULL", "sys.stdout"])
    def test_an_orphan_is_ended_and_told(self, tmp_path: Path, stream: str) -> None:
        """Even one that holds the output pipe."""
        child = start(tmp_path, self.ORPHAN.format(stream=stream))
        assert wait_until(lambda: windows.has_ended(child))
        swept = windows.sweep(child)
        assert swept == [int(output(tmp_path))]
        assert wait_until(lambda: not psutil.pid_exists(swept[0]))
        assert windows.reap(child).code == 0

    def test_nothing_is_left_of_a_child_without_children(self, tmp_path: Path) -> None:
        """The child itself is not among what it left behind."""
        child = start(tmp_path, "pass")
        assert wait_until(lambda: windows.has_ended(child))
        assert windows.sweep(child) == []
        assert windows.reap(child).code == 0


class TestStart:
    """How a child begins."""

    def test_both_streams_arrive_unchanged(self, tmp_path: Path) -> None:
        """Every byte, more than a pipe holds, without a newline at the end."""
        run(
            tmp_path,
            "sys.stdout.buffer.write(bytes(range(256)) * 4096); sys.stderr.buffer.write(b'a\\r\\nb\\n\\r\\x1a\\xff')",
        )
        assert output(tmp_path) == bytes(range(256)) * 4096
        assert (tmp_path / "stderr.log").read_bytes() == b"a\r\nb\n\r\x1a\xff"

    def test_output_survives_a_crash(self, tmp_path: Path) -> None:
        """What was flushed before the death is in the record."""
        run(tmp_path, "print('last words', end='', flush=True); faulthandler._read_null()")
        assert output(tmp_path) == b"last words"

    def test_output_can_be_read_while_the_child_lives(self, tmp_path: Path) -> None:
        """The record grows with the output."""
        child = start(tmp_path, "print('ready', end='', flush=True); time.sleep(600)")
        assert wait_until(lambda: output(tmp_path) == b"ready")
        assert not windows.has_ended(child)
        windows.end(child)
        finish(child)

    def test_stdin_is_at_its_end(self, tmp_path: Path) -> None:
        """A child that reads does not wait."""
        run(tmp_path, "print(repr(sys.stdin.read()), end='')")
        assert output(tmp_path) == b"''"

    def test_print_knows_every_character(self, tmp_path: Path) -> None:
        """As it does in a console."""
        assert run(tmp_path, r"print('\u2713 \U0001F600', end='')").code == 0
        assert output(tmp_path).decode() == "\u2713 \U0001f600"

    def test_no_crash_dialog_is_shown(self, tmp_path: Path) -> None:
        """The supervisor's error mode, which children inherit, has SEM_NOGPFAULTERRORBOX."""
        run(tmp_path, "pass")
        assert ctypes.WinDLL("kernel32").GetErrorMode() & windows.SEM_NOGPFAULTERRORBOX

    def test_the_folder_is_the_childs_directory(self, tmp_path: Path) -> None:
        """Relative paths are meant from there."""
        run(tmp_path, "open('here', 'w').close()")
        assert (tmp_path / "here").exists()

    def test_the_pid_is_the_interpreters_in_a_virtual_environment_too(self, tmp_path: Path) -> None:
        """Its launcher is passed by, and the environment is the same."""
        launcher = tmp_path / "venv" / "Scripts" / "python.exe"
        launcher.parent.mkdir(parents=True)
        launcher.write_bytes(b"no program")
        (tmp_path / "venv" / "pyvenv.cfg").write_text(f"home = {Path(sys.base_exec_prefix)}\n", encoding="utf-8")
        child = start(tmp_path, "print(os.getpid(), sys.prefix, sep='\\n', end='')", str(launcher))
        assert finish(child).code == 0
        pid, prefix = output(tmp_path).decode().splitlines()
        assert int(pid) == child.pid
        assert Path(prefix) == tmp_path / "venv"


class TestDeathOfTheSupervisor:
    """No child outlives the supervisor."""

    SUPERVISOR = """
import os, sys, time
from pathlib import Path
from harness.launch import windows
from harness.launch.process import Launch
folder = Path(sys.argv[1])
command = [sys.executable, "-c", "import time; time.sleep(600)"]
child = windows.start(Launch(command, dict(os.environ), folder, folder / "stdout.log", folder / "stderr.log"))
print(child.pid, flush=True)
{ending}
"""

    @pytest.mark.parametrize("ending", ["os._exit(0)", "time.sleep(600)"])
    def test_the_child_dies_with_it(self, tmp_path: Path, ending: str) -> None:
        """Whether the supervisor ends by itself or is killed."""
        command = [sys.executable, "-c", self.SUPERVISOR.format(ending=ending), str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT) as supervisor:
            assert supervisor.stdout is not None
            pid = int(supervisor.stdout.readline())
            supervisor.kill()
        assert wait_until(lambda: not psutil.pid_exists(pid))
