"""Refusals counted by programs of our own in the kernel: exact, of the tree alone, and gone with whoever counts."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from observing import ROOT, Observed, environment, observe, wait_for

from probes import records
from probes.outside.system import calls, counter, counting, quiet, tracefs
from probes.outside.system.counter import Counter, Refused
from probes.outside.system.refusals import RefusalsProbe

WHY_NOT = RefusalsProbe.missing() or counter.missing()
COUNTED = pytest.mark.skipif(bool(WHY_NOT), reason=f"no program may be run in the kernel here: {WHY_NOT}")
FULL = "/dev/full"
SHELL = f"echo x > {FULL}"
FLOOD = """
import ctypes, threading
def flood():
    libc = ctypes.CDLL(None)
    for _ in range(20000):
        libc.mmap(None, ctypes.c_size_t(1 << 60), 3, 34, -1, 0)
threads = [threading.Thread(target=flood) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
ORPHAN = f"""
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(0.3)
        os.execvp("sh", ["sh", "-c", {SHELL!r}])
    os._exit(0)
time.sleep(1)
"""
SUPERVISOR = """
import time
from probes.outside.system.counter import Counter
made = Counter()
print(made.error, flush=True)
time.sleep(60)
"""
NEXT_NUMBER = "/proc/sys/kernel/ns_last_pid"  # pid_namespaces(7)
NAME_AT = 64  # struct bpf_prog_info
NEXT_PROGRAM, OPEN_PROGRAM, INFO = 11, 13, 15  # BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD


@pytest.fixture
def counts() -> Iterator[Counter]:
    """Give a counter of what this thread starts, and close it."""
    with ExitStack() as stack:
        made = Counter()
        stack.callback(made.close)
        assert made.error is None
        yield made


def shell(text: str) -> int:
    """Run a line that is refused something; return the shell's pid."""
    process = subprocess.Popen(["sh", "-c", text], stderr=subprocess.DEVNULL)
    process.wait()
    return process.pid


def seen(rows: list[Refused]) -> list[tuple[int, int, str, int]]:
    """Return root, process, call and error."""
    return [(row.root, row.pid, calls.names()[row.call], row.error) for row in rows]


def bpf_call(command: int, attributes: bytes) -> tuple[int, bytes]:
    """Return what bpf(2) answers, and the attributes as it leaves them."""
    room = ctypes.create_string_buffer(attributes, 64)
    number = next(number for number, name in calls.names().items() if name == "bpf")
    return ctypes.CDLL(None, use_errno=True).syscall(number, command, room, len(attributes)), room.raw


def programs(pid: int) -> list[int]:
    """Return the numbers of all programs of that supervisor that the kernel has."""
    number, found = 0, []
    while (answer := bpf_call(NEXT_PROGRAM, struct.pack("=III", number, 0, 0)))[0] == 0:
        (number,) = struct.unpack_from("=I", answer[1], 4)
        descriptor, _ = bpf_call(OPEN_PROGRAM, struct.pack("=III", number, 0, 0))
        if descriptor >= 0:  # else it has gone meanwhile
            info = ctypes.create_string_buffer(128)
            bpf_call(INFO, struct.pack("=IIQ", descriptor, len(info), ctypes.addressof(info)))
            os.close(descriptor)
            found += [number] if info.raw[NAME_AT : NAME_AT + 16].rstrip(b"\0") == counter.name_of(pid).encode() else []
    return found


def run(folder: Path, text: str) -> Observed:
    """Observe a script of this text."""
    (folder / "script.py").write_text(text)
    return observe(folder, folder / "script.py")


@COUNTED
class TestCounter:
    """On the real kernel."""

    def test_a_process_and_its_child(self, counts: Counter) -> None:
        """Each as itself, both of one tree."""
        pid = shell(f"{SHELL}; (:; {SHELL})")
        first, second = seen(counts.read())
        assert first == (pid, pid, "write", errno.ENOSPC)
        assert second == (pid, second[1], "write", errno.ENOSPC) and second[1] != pid
        assert counts.read() == [] and counts.lost == 0

    def test_strangers_are_not_counted(self) -> None:
        """What another thread starts, and what was there before; until it is followed."""
        with ExitStack() as stack:
            command = ["sh", "-c", f"{SHELL}; while read _; do {SHELL}; done"]
            stranger = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
            stack.callback(stranger.wait)
            assert stranger.stdin is not None
            stack.callback(stranger.stdin.close)
            made: list[Counter] = []
            maker = threading.Thread(target=lambda: made.append(Counter()))
            maker.start()
            maker.join()
            stack.callback(made[0].close)
            stranger.stdin.write(b"\n")
            shell(SHELL)
            assert made[0].read() == []
            made[0].follow([stranger.pid], stranger.pid)
            stranger.stdin.write(b"\n")
            wait_for(lambda: (rows := made[0].read()) and seen(rows) == [(stranger.pid, stranger.pid, "write", 28)])

    @pytest.mark.skipif(not os.access(NEXT_NUMBER, os.W_OK), reason="the next process number cannot be chosen here")
    def test_number_of_a_dead_member_is_a_stranger_s(self) -> None:
        """A thread that had gone before it could be followed leaves no mark on who is given its number."""
        with ExitStack() as stack:
            made: list[Counter] = []
            maker = threading.Thread(target=lambda: made.append(Counter()))
            maker.start()
            maker.join()
            stack.callback(made[0].close)
            wanted = next(number for number in range(20000, 30000) if not Path(f"/proc/{number}").exists())
            numbers = range(wanted, wanted + 300)  # others on the machine are born meanwhile
            made[0].follow([number for number in numbers if not Path(f"/proc/{number}").exists()], maker.native_id or 0)
            Path(NEXT_NUMBER).write_text(str(wanted - 1))
            assert shell(SHELL) in numbers
            assert made[0].read() == []

    def test_flood_is_counted_to_the_last(self, tmp_path: Path) -> None:
        """From four threads at a time; nothing is lost, and that the rest was watched stands."""
        observed = run(tmp_path, FLOOD)
        (found,) = [fact.value for fact in observed.trial.facts if fact.name == "refusal"]
        assert (found["call"], found["error"], found["count"]) == ("mmap", "ENOMEM", 80000)
        assert found["first_seconds"] < found["last_seconds"]
        assert observed.trial.value("refusals_watched") is True
        assert observed.rows(records.REFUSALS)[0]["by"] == "program"

    def test_orphan_s_is_the_tree_s(self, tmp_path: Path) -> None:
        """A grandchild whose parent has gone, and that has become another program."""
        observed = run(tmp_path, ORPHAN)
        (found,) = [fact.value for fact in observed.trial.facts if fact.name == "refusal"]
        assert (found["call"], found["error"]) == ("write", "ENOSPC")
        assert found["pid"] != observed.exit["pid"]

    def test_two_inquests_side_by_side(self, tmp_path: Path) -> None:
        """Each sees its own target's, and nothing of the other's."""
        (tmp_path / "script.py").write_text(f"import time\ntime.sleep(1)\nopen({FULL!r}, 'wb', 0).write(b'x')")
        command = [sys.executable, "-m", "harness", "run", "--once", "--set", "controls=false", "--out"]
        with ExitStack() as stack:
            both = [
                stack.enter_context(subprocess.Popen(
                    [*command, str(tmp_path / name), "--", str(tmp_path / "script.py")], cwd=tmp_path,
                    env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                ))
                for name in ("a", "b")
            ]  # fmt: skip
            for process in both:
                stack.callback(process.kill)
            wait_for(lambda: all(process.poll() is not None for process in both), 120)
        found = [list((tmp_path / name).glob(f"*/trials/*/*/{records.REFUSALS}")) for name in ("a", "b")]
        rows = [[row.value for row in records.read_lines(path).rows] for (path,) in found]
        assert [[row["event"] for row in of_one] for of_one in rows] == [["watching", "refused"]] * 2
        assert [of_one[0]["by"] for of_one in rows] == ["program"] * 2
        pids = [records.read_json(path.parent / records.EXIT)["pid"] for (path,) in found]
        assert [of_one[1]["pid"] for of_one in rows] == pids and pids[0] != pids[1]

    def test_killed_supervisor_leaves_nothing(self) -> None:
        """No program in the kernel; of tracefs it made no use."""
        with ExitStack() as stack:
            supervisor = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            stack.callback(supervisor.communicate)
            stack.callback(supervisor.kill)
            assert supervisor.stdout is not None and supervisor.stdout.readline() == "None\n"
            assert len(programs(supervisor.pid)) == 3
            root = tracefs.root()
            assert root and not [name for name in quiet.names_in(root / "instances") if f"-{supervisor.pid}-" in name]
        wait_for(lambda: not programs(supervisor.pid))

    def test_closing_twice_and_reading_after_it(self, counts: Counter) -> None:
        """There is nothing then, and nothing breaks."""
        shell(SHELL)
        counts.close()
        counts.close()
        assert (counts.read(), counts.lost) == ([], 0)


@COUNTED
class TestNotUsed:
    """Where it cannot be relied on, a trace is used, and that is a gap."""

    def described(self, folder: Path) -> tuple[Observed, str]:
        """Return a trial and why it was traced."""
        observed = run(folder, f"open({FULL!r}, 'wb', 0).write(b'x')")
        (gap,) = [gap for gap in observed.trial.gaps if gap.probe == "refusals"]
        assert [fact.value["error"] for fact in observed.trial.facts if fact.name == "refusal"] == ["ENOSPC"]
        assert observed.rows(records.REFUSALS)[0]["by"] == "trace"
        return observed, gap.reason

    def test_kernel_that_does_not_describe_its_types(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The refusal is seen all the same."""
        monkeypatch.setattr(counter, "_number_at", lambda: None)
        observed, reason = self.described(tmp_path)
        assert reason.endswith("the kernel does not describe its types")
        assert observed.rows(records.REFUSALS)[0]["why"] == "the kernel does not describe its types"

    def test_births_that_are_read_wrongly(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its own trial finds out: what a thread of ours was refused did not come."""
        monkeypatch.setattr(counter, "_number_at", lambda: 0)
        assert self.described(tmp_path)[1].endswith("a refusal that was provoked was not seen")

    def test_calls_that_are_read_wrongly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Likewise."""
        monkeypatch.setattr(counting, "CALL_AT", dict.fromkeys(counting.CALL_AT, 0))
        assert counter.missing() == "a refusal that was provoked was not seen"

    def test_program_that_the_kernel_refuses(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its verifier's word."""
        monkeypatch.setattr(counting, "at_end", lambda _: b"\0" * 8)
        assert self.described(tmp_path)[1].endswith("sched_process_exit: Invalid argument")

    @pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv(1) is not installed")
    def test_another_user(self) -> None:
        """Is told so, and nothing is raised."""
        become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        code = "from probes.outside.system import counter; print(counter.missing())"
        found = subprocess.run(
            [*become, sys.executable, "-c", code], capture_output=True, text=True, cwd="/",
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        if "Permission denied" in found.stderr or "No module" in found.stderr:
            pytest.skip("another user may not read this checkout")
        assert found.stdout.endswith("Operation not permitted\n"), found.stderr
