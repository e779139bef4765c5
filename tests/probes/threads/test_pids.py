"""What bounds the number of threads: on trees as the kernel lays them out, and in a real control group."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import task_groups

from harness.facts import reading as facts
from harness.launch import trial
from harness.plan import plan_file as plan
from probes.outside.threads import thread_ceilings as pids

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
JOIN = """
import threading, time
with open({group!r}, "w") as stream:
    stream.write("0")
def start(count):
    for _ in range(count):
        threading.Thread(target=time.sleep, args=(6,), daemon=True).start()
start(14)
time.sleep(2.5)
start(20)
"""
NPROC = """
import resource, time
resource.setrlimit(resource.RLIMIT_NPROC, (77777, 77777))
resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, resource.RLIM_INFINITY))
"""


def tree(root: Path, files: dict[str, str]) -> Path:
    """Make the files of control groups."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


class TestGroups:
    """Which groups are asked."""

    def test_every_group_up_to_the_root_of_version_1(self, tmp_path: Path) -> None:
        """The hierarchy of the controller named pids, and no other."""
        root = tree(tmp_path, {"pids/a/b/pids.max": "9\n", "pids/pids.max": "8\n", "cpu/a/b/pids.max": "1\n"})
        found = pids.groups("9:cpu:/a/b\n8:pids:/a/b\n0::/\n", root)
        assert found == [root / "pids/a/b", root / "pids"]

    @pytest.mark.parametrize("mount", ["", "unified/"])
    def test_every_group_up_to_the_root_of_version_2(self, tmp_path: Path, mount: str) -> None:
        """The one tree, also beside version 1; a name may hold colons."""
        root = tree(tmp_path, {f"{mount}a:b/c/pids.max": "max\n", f"{mount}a:b/pids.max": "8\n"})
        assert pids.groups("0::/a:b/c\n", root) == [root / f"{mount}a:b/c", root / f"{mount}a:b"]

    def test_a_path_that_is_not_mounted_leaves_its_root(self, tmp_path: Path) -> None:
        """In a container the group is the root of what is mounted."""
        root = tree(tmp_path, {"pids/pids.max": "8\n"})
        assert pids.groups("8:pids:/docker/0123\n", root) == [root / "pids"]

    @pytest.mark.parametrize("membership", ["", "garbage\n", "8:pids:/a\n"])
    def test_none(self, tmp_path: Path, membership: str) -> None:
        """A system without control groups bounds nothing."""
        assert pids.groups(membership, tmp_path) == []


class TestRead:
    """Limits and use."""

    def test_the_group_with_the_least_room_is_told(self, tmp_path: Path) -> None:
        """The height of a limit does not tell; refusals of all groups count."""
        files = {
            "a/pids.max": "20\n", "a/pids.current": "3\n", "a/pids.events": "max 4\n",
            "pids.max": "100\n", "pids.current": "99\n", "pids.events": "max 1\n",
        }  # fmt: skip
        root = tree(tmp_path, files)
        read = pids.read([root / "a", root])
        assert read == {"pids_max": 100, "pids_current": 99, "pids_group": str(root), "pids_refused": 5}

    @pytest.mark.parametrize("text", ["max\n", "", "garbage\n"])
    def test_no_number_is_no_limit(self, tmp_path: Path, text: str) -> None:
        """What does not bind has no key."""
        assert pids.read([tree(tmp_path, {"pids.max": text, "pids.current": "3\n"})]) == {}

    def test_a_group_that_is_gone_is_no_error(self, tmp_path: Path) -> None:
        """It may be removed at any time."""
        assert pids.read([tmp_path / "gone"]) == {}

    def test_no_group(self) -> None:
        """Nothing is asked."""
        assert pids.read([]) == {}


@pytest.fixture
def group() -> Iterator[Path]:
    """Make a real control group for at most 20 threads, and remove it; skip where that is not permitted."""
    yield from task_groups.group_of(20)


def run(root: Path, script: str) -> trial.Request:
    """Run a script as one trial."""
    (root / "target.py").write_text(script)
    read = plan.parse({"target": {"command": [str(root / "target.py")]}, "limits": {"wall_seconds": 30}}, root / "p")
    request = trial.Request("as-is/1", root / "trials" / "as-is" / "1", read.baseline, read)
    trial.run(request, lambda pulse: True)
    return request


@LINUX
def test_threads_refused_by_a_real_group(tmp_path: Path, group: Path) -> None:
    """The limit is found in the group that the child joined after its start; the refusal is counted after its end."""
    run(tmp_path, JOIN.format(group=str(group / "cgroup.procs")))
    read = facts.read(tmp_path, "as-is/1")
    assert read.value("python_error")["message"] == "can't start new thread"
    uses = {fact.value["name"]: fact.value for fact in read.facts if fact.name == "limit_use"}
    use = uses[f"control group, {group}/pids.max"]
    assert (use["limit"], use["used"]) == (20, 20)  # as it was while the error held the process
    assert read.value("thread_creations_refused") == 1
    cited = [(tmp_path / source.file).read_text().splitlines()[source.line - 1] for source in
             getattr(read.fact("thread_creations_refused"), "sources", ())]  # fmt: skip
    assert ['"pids_refused":0' in cited[0], '"pids_refused":1' in cited[1]] == [True, True]


class TestLimits:
    """What /proc says of one process."""

    def test_the_machine_bounds_everybody(self) -> None:
        """Its limit and its use are always told on Linux."""
        if not pids.LOAD.exists():
            pytest.skip("there is no /proc")
        read = pids.ThreadLimits().read(0.0)
        assert 0 < read["machine_threads"] < read["machine_threads_max"]

    @LINUX
    @pytest.mark.parametrize(("user", "bound"), [(0, False), (12345, True)])
    def test_nproc_binds_all_but_root(self, monkeypatch: pytest.MonkeyPatch, user: int, bound: bool) -> None:
        """As setrlimit(2) has it."""
        monkeypatch.setattr(os, "getuid", lambda: user)
        limits = pids.ThreadLimits()
        limits.learn({"limits": "Max stack size 8388608 unlimited bytes\nMax processes    4000    5000   processes\n"})
        read = limits.read(0.0)
        assert read.get("nproc_limit") == (4000 if bound else None)
        assert read["stack_limit_bytes"] == 8388608

    def test_unlimited(self) -> None:
        """No number is no bound; a stack without limit is -1."""
        limits = pids.ThreadLimits()
        limits.learn({"limits": "Max stack size  unlimited unlimited bytes\nMax processes  unlimited unlimited x\n"})
        read = limits.read(0.0)
        assert ("nproc_limit" in read, read["stack_limit_bytes"]) == (False, -1)

    @LINUX
    def test_limits_are_the_child_s_own(self, tmp_path: Path) -> None:
        """Also those that it set itself after its start."""
        run(tmp_path, NPROC + "time.sleep(6)\n")
        assert '"stack_limit_bytes":4194304' in (tmp_path / "trials/as-is/1/threads.jsonl").read_text()
