"""Each limit that a real program has nearly used up when it dies stands in the report, counted; one with room does not.

The programs die of something else: what is told is the use, and no cause.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import task_groups
from observing import environment, observe

from harness.model import Trial
from harness.report.content import circumstances

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are counted on Linux only")
ROOT = pytest.mark.skipif(sys.platform == "linux" and os.getuid() != 0, reason="needs to mount, or a control group")
DIE = "\ntime.sleep(2.5)\nos._exit(3)\n"
START = "import ctypes, mmap, os, resource, subprocess, sys, threading, time\nlibc = ctypes.CDLL(None)\n"
FILES = START + "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\nkept = [os.dup(0) for _ in range({})]" + DIE
LOCKED = START + (
    "resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20))\nheld = mmap.mmap(-1, 1 << 20)\n"
    "begin = ctypes.addressof(ctypes.c_char.from_buffer(held))\n"
    "assert libc.mlock(ctypes.c_void_p(begin), {} << 10) == 0" + DIE
)
MAPS = START + (
    "most = int(open('/proc/sys/vm/max_map_count').read())\nlibc.mmap.restype = ctypes.c_void_p\n"
    "for number in range(int(most * {})):\n"
    "    libc.mmap(None, ctypes.c_size_t(4096), 1 + number % 2, 0x22, -1, ctypes.c_long(0))" + DIE
)  # neighbours of other rights are not joined
WATCHES = START + (
    "most = int(open('/proc/sys/fs/inotify/max_user_instances').read())\n"
    "kept = [libc.inotify_init() for _ in range(int(most * {}))]\nassert min(kept) >= 0" + DIE
)
JOIN = START + "with open({group!r}, 'w') as stream:\n    stream.write('0')\n"
THREADS = JOIN + (
    "for _ in range({count}):\n    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()" + DIE
)
PROCESSES = JOIN + (
    "kept = [subprocess.Popen(['sleep', '30']) for _ in range({count})]\ntime.sleep(6.5)\n"
    "for one in kept:\n    one.kill()\n    one.wait()\nos._exit(3)\n"
)
SHARED = START + "open('/dev/shm/inquest-test', 'wb').write(bytes({} << 10))" + DIE


def told(trial: Trial, name: str) -> list[str]:
    """Return what the report says of a limit."""
    assert trial.outcome == "died"
    return [reason.text for reason in circumstances.of(trial) if name in reason.text and "in use" in reason.text]


@pytest.mark.parametrize(
    ("text", "low", "high", "name", "begin"),
    [
        (FILES, 20, 44, "RLIMIT_NOFILE", "open files: 5"),
        (LOCKED, 400, 900, "RLIMIT_MEMLOCK", "locked memory: 900 KiB of 1.00 MiB were in use (87.9 %"),
        (MAPS, 0.5, 0.9, "vm.max_map_count", "memory mappings: 5"),
        (WATCHES, 0.2, 0.9, "fs.inotify.max_user_instances", "inotify watches: 1"),
    ],
    ids=["descriptors", "locked memory", "mappings", "inotify"],
)
def test_of_one_process(tmp_path: Path, text: str, low: float, high: float, name: str, begin: str) -> None:
    """Above four fifths it is told with its share, at or below it is not."""
    for number, amount in enumerate((low, high)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "target.py").write_text(text.format(amount))
        found = told(observe(folder, folder / "target.py").trial, name)
        assert len(found) == number, found
        assert all(line.startswith(begin) and line.endswith(f"by {name}") for line in found), found


@pytest.fixture
def group() -> Iterator[Path]:
    """Make a control group for 20 threads and processes; its members have ended when it goes."""
    yield from task_groups.group_of(20)


@ROOT
@pytest.mark.parametrize("text", [THREADS, PROCESSES], ids=["threads", "processes"])
def test_of_a_group(tmp_path: Path, group: Path, text: str) -> None:
    """Threads and processes count alike, and have one limit."""
    (tmp_path / "target.py").write_text(text.format(group=str(group / "cgroup.procs"), count=16))
    (line,) = told(observe(tmp_path, tmp_path / "target.py").trial, str(group))
    assert line.startswith("threads and processes: 1") and " of 20 were in use (" in line


@ROOT
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a mount of its own")
@pytest.mark.parametrize(("amount", "is_told"), [(900, False), (1800, True)])
def test_of_shared_memory(tmp_path: Path, amount: int, is_told: bool) -> None:
    """A small /dev/shm, as containers have it, seen by a whole inquest inside: in its written report."""
    (tmp_path / "target.py").write_text(SHARED.format(amount))
    run = f'"{sys.executable}" -m harness run --once --out "{tmp_path}/out" -- "{tmp_path}/target.py"'
    mounted = f"mount -t tmpfs -o size=2m tmpfs /dev/shm && cd {tmp_path} && {run}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mounted], env=environment(), capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 3, done.stdout + done.stderr
    (report,) = (tmp_path / "out").glob("*/report.md")
    lines = [line for line in report.read_text().splitlines() if "shared memory: " in line and "in use" in line]
    assert [" of 2.00 MiB were in use (" in line for line in lines] == [True] * is_told
