"""Limits other than memory, sampled of a real program, and lifted for one."""

from __future__ import annotations

import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import task_groups
from observing import ROOT, observe

from harness.facts.refused import wording
from probes import records

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors and mappings are counted on Linux only")
HOLD = """
import mmap, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
files = [open("/dev/null") for _ in range(30)]
maps = [mmap.mmap(-1, 4096) for _ in range(400)]
time.sleep(4)
"""
WHERE = "import os, sys; print(os.statvfs('/dev/shm').f_blocks, open('/proc/self/cgroup').read(), file=sys.stderr)"
SMALL = (
    "mount --make-rprivate / && mount -t tmpfs -o size=4m none /dev/shm && echo 0 > {group}/cgroup.procs && exec {boot}"
)
ASK = "import resource, sys; print(resource.getrlimit(resource.RLIMIT_NOFILE), file=sys.stderr)"


def test_use_of_a_real_program(tmp_path: Path) -> None:
    """Open files against their limit, mappings against theirs, /dev/shm; each with its row."""
    (tmp_path / "target.py").write_text(HOLD)
    observed = observe(tmp_path, tmp_path / "target.py")
    uses = {fact.value["name"]: fact.value for fact in observed.trial.facts if fact.name == "limit_use"}
    assert uses["RLIMIT_NOFILE"]["limit"] == 50 and 33 <= uses["RLIMIT_NOFILE"]["used"] <= 50
    assert 400 < uses["vm.max_map_count"]["used"] < uses["vm.max_map_count"]["limit"]
    assert uses["/dev/shm"]["resource"] == wording.SHARED
    assert "RLIMIT_NOFILE" in observed.cited("limit_use")


def prepared(place: Path, program: str) -> list[str]:
    """Write a program and its spec file with the limits lifted; return the command that boots it."""
    spec = {"trial": "a/1", "folder": str(place), "lift_limits": True, "inside_probes": True, "factors": {}}
    (place / records.SPEC).write_text(json.dumps(spec))
    (place / "ask.py").write_text(program)
    return [sys.executable, str(ROOT / "probes" / "inside" / "boot.py"), str(place / records.SPEC), "--",
            str(place / "ask.py")]  # fmt: skip


def lifted(place: Path) -> dict[str, Any]:
    """Return what the inside says that it lifted."""
    rows = [row.value for row in records.read_lines(place / records.INSIDE).rows]
    (found,) = [row for row in rows if row["event"] == "limits lifted"]
    return found


def test_soft_limits_are_lifted_to_the_hard_ones(tmp_path: Path) -> None:
    """In the child, before the target starts; said with what they were."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    command = shlex.join(prepared(tmp_path, ASK))
    done = subprocess.run(
        ["sh", "-c", f"ulimit -S -n 64; exec {command}"], capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert done.stderr.strip() == str((hard, hard)), done.stderr
    assert lifted(tmp_path)["limits"]["RLIMIT_NOFILE"] == [64, hard]


@pytest.fixture
def group() -> Iterator[Path]:
    """Make a real control group for at most 30 threads, and remove it; skip where that is not permitted."""
    yield from task_groups.group_of(30)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no mount namespace can be made here")
def test_the_administrator_leaves_groups_and_a_small_shared_memory(tmp_path: Path, group: Path) -> None:
    """The target has the root of the pids hierarchy, and half the memory in /dev/shm; nobody else sees that."""
    before = os.statvfs("/dev/shm")
    script = SMALL.format(group=group, boot=shlex.join(prepared(tmp_path, WHERE)))
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    blocks, _, groups = done.stderr.partition(" ")
    assert int(blocks) * 4096 > 4 << 20, done.stderr
    assert ":pids:/\n" in groups
    assert [lifted(tmp_path)[name] for name in ("threads", "shared")] == [True, True]
    assert os.statvfs("/dev/shm").f_blocks == before.f_blocks


def test_what_is_wide_enough_is_left(tmp_path: Path) -> None:
    """No mount and no move where nothing would be lifted; nor for whom it is not permitted."""
    done = subprocess.run(prepared(tmp_path, ASK), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = os.statvfs("/dev/shm")
    is_small = found.f_blocks * found.f_frsize < 0.49 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert lifted(tmp_path)["shared"] is (is_small and os.geteuid() == 0)
