"""What the system refuses real programs: each call with its error, and what it was about."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from observing import Observed, observe, wait_for

from probes import records
from probes.outside.probe import Watched
from probes.outside.system import counter
from probes.outside.system.refusals import RefusalsProbe
from probes.outside.threads.thread_ceilings import ROOT

pytestmark = [
    pytest.mark.skipif(bool(RefusalsProbe.missing()), reason=f"no tracing here: {RefusalsProbe.missing()}"),
    pytest.mark.usefixtures("means"),
]
PIDS = ROOT / "pids"
STAYS = "import sys, time; sys.excepthook = lambda *error: (sys.__excepthook__(*error), time.sleep(0.5))\n"


@pytest.fixture(params=["program", "trace"])
def means(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have refusals seen by a program in the kernel, or by a trace, as where the kernel does not describe its types."""
    if request.param == "trace":
        monkeypatch.setattr(counter, "_number_at", lambda: None)
    elif (reason := counter.missing()) is not None:
        pytest.skip(f"no program may be run in the kernel here: {reason}")
    return str(request.param)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of one MiB, and take it away again."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]).returncode:
        pytest.skip("no file system may be mounted here")
    with ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", "--lazy", str(place)])
        yield place


def run(folder: Path, text: str, **keys: Any) -> Observed:
    """Observe a script of this text, which stays a while where it raises: what it was about can be looked at."""
    (folder / "script.py").write_text(STAYS + text)
    return observe(folder, folder / "script.py", **keys)


def refusals(observed: Observed) -> list[dict[str, Any]]:
    """Return the facts' values."""
    return [fact.value for fact in observed.trial.facts if fact.name == "refusal"]


def only(observed: Observed, call: str, error: str) -> dict[str, Any]:
    """Return the one refusal of that kind."""
    found = [value for value in refusals(observed) if (value["call"], value["error"]) == (call, error)]
    assert len(found) == 1, (found, observed.trial.gaps)
    return found[0]


class TestDisk:
    """No space: the file, or the file system."""

    def test_file_that_stays_open(self, tmp_path: Path, small: Path) -> None:
        """Its path, no free bytes; right before the death; the record's own line is cited."""
        text = (
            f"import ctypes, sys, time\nf = open({str(small / 'weights')!r}, 'wb', 0)\n"
            "while ctypes.CDLL(None).write(f.fileno(), b'x' * 65536, 65536) > 0: pass\ntime.sleep(0.3)\nsys.exit(1)"
        )
        observed = run(tmp_path, text)
        found = only(observed, "write", "ENOSPC")
        assert (found["pid"], found["thread"], found["count"]) == (observed.exit["pid"], observed.exit["pid"], 1)
        assert (found["about"]["path"], found["about"]["free_bytes"]) == (str(small / "weights"), 0)
        assert 0 <= found["before_death_seconds"] < 2
        assert 0 < found["first_seconds"] == found["last_seconds"]
        assert '"error":"ENOSPC"' in observed.cited("refusal")

    def test_device_that_is_always_full(self, tmp_path: Path) -> None:
        """It has no room, however much there is on the file system that its name is on."""
        found = only(run(tmp_path, "f = open('/dev/full', 'wb', 0)\nf.write(b'x')"), "write", "ENOSPC")
        assert (found["about"]["path"], found["about"]["free_bytes"]) == ("/dev/full", 0)

    def test_file_that_is_closed_and_gone(self, tmp_path: Path, small: Path) -> None:
        """The file system is full all the same: it is named, as the only one, or among those that are."""
        text = f"with open({str(small / 'weights')!r}, 'wb') as f: f.write(b'x' * (2 << 20))"
        about = only(run(tmp_path, text), "write", "ENOSPC")["about"]
        full = about.get("full_file_systems", [about])
        assert str(small) in [row["path"].removesuffix("/weights") for row in full]

    def test_no_inodes(self, tmp_path: Path, small: Path) -> None:
        """Many empty files: bytes are left, inodes are not."""
        subprocess.run(["mount", "-o", "remount,nr_inodes=20", str(small)], check=True)
        text = f"import os\nfor n in range(99): os.close(os.open({str(small)!r} + '/%d' % n, os.O_CREAT | os.O_WRONLY))"
        about = only(run(tmp_path, text), "openat", "ENOSPC")["about"]
        full = about.get("full_file_systems", [about])
        assert [row["free_inodes"] for row in full if row["path"] == str(small)] == [0]

    def test_tool_that_is_not_python(self, tmp_path: Path, small: Path) -> None:
        """The refusal is the tool's, in the target's tree."""
        text = f"import subprocess; subprocess.run(['dd', 'if=/dev/zero', 'of={small}/x', 'bs=64k'], check=True)"
        observed = run(tmp_path, text)
        assert only(observed, "write", "ENOSPC")["pid"] != observed.exit["pid"]


class TestLimits:
    """Limits of a process, each with its use."""

    def test_file_size(self, tmp_path: Path) -> None:
        """RLIMIT_FSIZE: the file of just that size."""
        text = (
            "import resource, signal\nresource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
            f"signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nf = open({str(tmp_path / 'log')!r}, 'wb', 0)\n"
            "import ctypes, time\nwhile ctypes.CDLL(None).write(f.fileno(), b'x' * 9999, 9999) > 0: pass\n"
            "time.sleep(0.3)"
        )
        about = only(run(tmp_path, text), "write", "EFBIG")["about"]
        assert about["path"] == str(tmp_path / "log")
        assert about["limits"] == [{"name": "RLIMIT_FSIZE", "limit": 4096, "used": 4096}]

    def test_open_files(self, tmp_path: Path) -> None:
        """RLIMIT_NOFILE, all of it in use, as long as the program holds them."""
        text = (
            "import resource, time\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\nheld = []\n"
            "def more():\n    held.append(open('/dev/null'))\n"
            "import threading\nthread = threading.Thread(target=lambda: [more() for _ in range(99)])\n"
            "thread.start(); thread.join(); time.sleep(0.3)"
        )
        observed = run(tmp_path, text)
        found = only(observed, "openat", "EMFILE")
        assert found["pid"] == observed.exit["pid"] != found["thread"]
        limit = found["about"]["limits"][0]
        assert (limit["name"], limit["limit"]) == ("RLIMIT_NOFILE", 64)
        assert 64 <= limit["used"] < 80  # some of the inside's own lie above the limit, where they bother nobody

    def test_address_space(self, tmp_path: Path) -> None:
        """RLIMIT_AS; mappings are counted as well."""
        text = (
            "import resource, threading, time\nresource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
            "threading.Thread(target=bytearray, args=(1 << 33,)).start()\ntime.sleep(0.5)"
        )
        found = only(run(tmp_path, text), "mmap", "ENOMEM")
        limits = {limit["name"]: limit for limit in found["about"]["limits"]}
        assert limits["RLIMIT_AS"]["limit"] == 1 << 30 > limits["RLIMIT_AS"]["used"] > 0
        assert 0 < limits["vm.max_map_count"]["used"] < limits["vm.max_map_count"]["limit"]

    def test_mappings(self, tmp_path: Path) -> None:
        """Too many mappings, with memory free: the count is the limit."""
        text = (
            "import ctypes, time\nlibc = ctypes.CDLL(None)\nlibc.mmap.restype = ctypes.c_void_p\n"
            "most = int(open('/proc/sys/vm/max_map_count').read()) + 9\n"
            "for n in range(most):\n    libc.mmap(None, ctypes.c_size_t(4096), 1 + n % 2 * 2, 0x22, -1, 0)\n"
            "time.sleep(2)"
        )
        found = only(run(tmp_path, text), "mmap", "ENOMEM")
        limits = {limit["name"]: limit for limit in found["about"]["limits"]}
        assert limits["vm.max_map_count"]["used"] >= limits["vm.max_map_count"]["limit"] - 2

    @pytest.mark.skipif(not (PIDS / "cgroup.procs").exists(), reason="no pids control group of version 1 here")
    def test_threads(self, tmp_path: Path) -> None:
        """A control group's pids.max: the tightest comes first, used up; the probe needs no process of its own."""
        group = PIDS / f"inquest-test-{tmp_path.name}"
        group.mkdir()
        (group / "pids.max").write_text("12")
        text = (
            f"open({str(group / 'cgroup.procs')!r}, 'w').write('0')\nimport threading, time\n"
            "for _ in range(20): threading.Thread(target=time.sleep, args=(0.5,)).start()"
        )
        with ExitStack() as stack:
            stack.callback(group.rmdir)
            stack.callback(wait_for, lambda: not (group / "cgroup.procs").read_text())
            observed = run(tmp_path, text)
        found = [value for value in refusals(observed) if value["call"] in ("clone", "clone3")]
        assert [(value["error"], value["pid"]) for value in found] == [("EAGAIN", observed.exit["pid"])]
        assert found[0]["about"]["limits"][0] == {"name": str(group / "pids.max"), "limit": 12, "used": 12}


class TestRows:
    """How it is written."""

    def test_many_of_a_kind_are_few_rows(self, tmp_path: Path, means: str) -> None:
        """Counted, not listed; what the buffer could not hold is told."""
        text = (
            "import ctypes\nlibc = ctypes.CDLL(None)\n"
            "for _ in range(5000): libc.mmap(None, ctypes.c_size_t(1 << 60), 3, 34, -1, 0)"
        )
        observed = run(tmp_path, text)
        lost = sum(row["count"] for row in observed.rows(records.REFUSALS) if row["event"] == "lost")
        count = only(observed, "mmap", "ENOMEM")["count"]
        assert means == "trace" or (count, lost) == (5000, 0)
        assert count + lost >= 3000 and count <= 5100  # on a busy machine a few are not read in time
        assert len(observed.rows(records.REFUSALS)) < 20

    def test_healthy_program_is_refused_nothing(self, tmp_path: Path) -> None:
        """Only the row that says from when on it was watched: from before its launch."""
        observed = run(tmp_path, "import json, threading\nthreading.Thread(target=print).start()")
        assert [row["event"] for row in observed.rows(records.REFUSALS)] == ["watching"]
        assert -2 < observed.rows(records.REFUSALS)[0]["since_launch_seconds"] < 0
        assert refusals(observed) == []

    def test_first_instructions_are_seen(self, tmp_path: Path, small: Path) -> None:
        """Of a process that has ended before anybody could look at it, and of its child."""
        dd = "dd if=/dev/zero bs=64k 2>/dev/null of="
        command = f"{dd}{small}/x; exec {dd}{small}/y"
        RefusalsProbe.prepare()
        with ExitStack() as stack:
            child = subprocess.Popen(["sh", "-c", command])
            stack.callback(child.wait)
            started = time.perf_counter()
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            RefusalsProbe(Watched(child.pid, tmp_path, 0.02, started)).close()
        rows = [row.value for row in records.read_lines(tmp_path / records.REFUSALS).rows]
        found = [(row["call"], row["error"], row["pid"]) for row in rows if row["event"] == "refused"]
        assert [row[:2] for row in found] == [("write", "ENOSPC")] * len(found)
        assert len(found) == 2 and found[0][2] != found[1][2] == child.pid

    def test_others_on_the_machine_are_not_seen(self, tmp_path: Path, small: Path) -> None:
        """A stranger that is refused at the same time is no part of the target."""
        command = f"for n in 1 2 3 4 5 6; do dd if=/dev/zero of={small}/x bs=64k 2>/dev/null; sleep 0.1; done"
        with ExitStack() as stack:
            stranger = subprocess.Popen(["sh", "-c", command])
            stack.callback(stranger.wait)
            observed = run(tmp_path, "import time; time.sleep(0.4)")
        assert refusals(observed) == []
