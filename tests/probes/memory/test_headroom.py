"""The snapshot before the kill: real growth under real limits; every one is looked at while it still lives."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from observing import Observed, observe, victim  # noqa: E402

from probes.outside.memory.ceilings import Ceiling, Ceilings  # noqa: E402
from probes.outside.memory.headroom_snapshot import is_due, predicted_seconds, threshold_bytes  # noqa: E402

MIB = 1 << 20
PACE = 200  # MiB a second
GROUPS = Path("/sys/fs/cgroup/memory")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the limits are set as Linux has them")
FILES = {
    "flight_tail.json", "headroom.json", "largest_mappings.txt", "limits.txt", "maps.txt", "smaps_rollup.txt",
    "status.txt", "threads.txt",
}  # fmt: skip


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


def grow(root: Path, *arguments: object, memory_bytes: int | None = None, pace: int = PACE) -> Observed:
    """Run the victim until its limit ends it."""
    planned = {"memory_bytes": memory_bytes} if memory_bytes else {}
    return observe(root, victim("grow_fast"), pace, *arguments, limits={"wall_seconds": 20.0, **planned})


def looks(observed: Observed) -> list[dict[str, Any]]:
    """Return what the facts say of each look."""
    return [fact.value for fact in observed.trial.facts if fact.name == "headroom_snapshot"]


def check_look(observed: Observed, number: int, limit: str, limit_bytes: int) -> None:
    """The record is whole: the limit by its name, numbers that fit each other, the stack, the largest mapping."""
    look = looks(observed)[number - 1]
    folder = observed.folder / look["folder"]
    assert look == {"folder": f"native/headroom-{number}", **json.loads((folder / "headroom.json").read_text())}
    assert (look["limit"], look["limit_bytes"]) == (limit, limit_bytes)
    ceiling, growth = Ceiling(limit, limit_bytes, look["left"]), look["growth_bytes_per_second"]
    assert look["threshold_bytes"] == threshold_bytes(limit_bytes)
    assert is_due(ceiling, growth, 1.02)
    assert look["predicted_seconds"] == pytest.approx(predicted_seconds(ceiling, growth), abs=0.01)
    assert {path.name for path in folder.iterdir()} >= FILES
    records = json.loads((folder / "flight_tail.json").read_text())["records"]
    assert [row["kind"] for row in records] == ["start"]
    mappings = (folder / "largest_mappings.txt").read_text().splitlines()
    sizes = [int(line.split()[0]) for line in mappings]
    assert len(sizes) == 15 and sizes == sorted(sizes, reverse=True)
    assert f"smaps_rollup.txt:{1}" in " ".join(
        str(source) for fact in observed.trial.facts if fact.name == "headroom_snapshot" for source in fact.sources
    )


def python_functions(observed: Observed, number: int) -> list[str]:
    """Return the functions of the Python stack that a look took."""
    (thread,) = json.loads(observed.text(f"native/headroom-{number}/python_stacks.json"))
    return [frame["name"] for frame in thread["frames"]]


@linux
class TestLimits:
    """Each limit that can end a process."""

    def test_plan(self, tmp_path: Path) -> None:
        """The harness' own limit: two looks, the second nearer to the end."""
        observed = grow(tmp_path, memory_bytes=400 * MIB)
        assert (observed.exit["limit"], observed.exit["ended_by"]) == ("memory", "harness")
        first, second = looks(observed)
        for number in (1, 2):
            check_look(observed, number, "the plan's limits.memory_bytes", 400 * MIB)
        assert second["left"] < first["left"] and second["t"] >= first["t"] + 1.0
        assert python_functions(observed, 2)[0] == "grow"

    @pytest.mark.parametrize(("kind", "name"), [("address-space", "RLIMIT_AS"), ("data", "RLIMIT_DATA")])
    def test_rlimit(self, tmp_path: Path, kind: str, name: str) -> None:
        """Set by the program after its start: the allocation fails, and the look was before."""
        observed = grow(tmp_path, kind, 400)
        first = looks(observed)[0]
        check_look(observed, 1, name, first["limit_bytes"])
        assert first["limit_bytes"] == 400 * MIB or kind == "address-space"
        assert observed.trial.value("python_error")["type"] == "MemoryError"
        assert python_functions(observed, 1)[0] == "grow"
        assert first["t"] < observed.exit["started_monotonic"] + observed.exit["seconds"]

    def test_out_of_memory_kill_of_a_control_group(self, tmp_path: Path, group: Path) -> None:
        """A real OOM kill: SIGKILL from outside, and the process was looked at before."""
        observed = grow(tmp_path, "cgroup", group)
        limit = int((group / "memory.limit_in_bytes").read_text())
        assert (observed.exit["signal"], observed.trial.exit.ended_by) == ("SIGKILL", "outside")
        check_look(observed, 1, f"control group, {group}/memory.limit_in_bytes", limit)
        assert "oom_kill 1" in (group / "memory.oom_control").read_text()
        assert python_functions(observed, 1)[0] == "grow"
        assert looks(observed)[0]["t"] < observed.exit["started_monotonic"] + observed.exit["seconds"]
        used = observed.rows("memory.jsonl")
        assert max(row.get("rss_bytes", 0) for row in used) > 0.8 * limit

    def test_much_faster(self, tmp_path: Path, group: Path) -> None:
        """At a gigabyte a second the group's 400 MiB last for four samples: it is still looked at before."""
        observed = grow(tmp_path, "cgroup", group, pace=1000)
        assert observed.exit["signal"] == "SIGKILL"
        assert looks(observed)[0]["limit"].startswith("control group, ")
        assert (observed.folder / "native" / "headroom-1" / "smaps_rollup.txt").exists()

    def test_program_that_does_not_grow_is_left_alone(self, tmp_path: Path) -> None:
        """Room enough: no look, no fact."""
        observed = observe(tmp_path, victim("healthy"), limits={"wall_seconds": 20.0, "memory_bytes": 1 << 40})
        assert looks(observed) == []
        assert not list(observed.folder.glob("native/headroom-*"))


@pytest.fixture
def group() -> Iterator[Path]:
    """Make a control group of 400 MiB, without swap; removed afterwards."""
    if not (os.access(GROUPS, os.W_OK) and (GROUPS / "memory.limit_in_bytes").exists()):
        pytest.skip("no control group of memory (v1) can be made here")
    path = GROUPS / f"inquest-{os.getpid()}"
    path.mkdir()
    (path / "memory.limit_in_bytes").write_text(str(400 * MIB))
    yield path
    path.rmdir()


class TestRule:
    """When to look: pure."""

    @pytest.mark.parametrize(
        ("limit", "threshold"),
        [(64 * MIB, 16 * MIB), (256 * MIB, 64 * MIB), (1024 * MIB, 64 * MIB), (100 << 30, 3 << 30)],
    )
    def test_threshold(self, limit: int, threshold: int) -> None:
        """3 %, at least 64 MiB, at most a quarter."""
        assert threshold_bytes(limit) == threshold

    @pytest.mark.parametrize(
        ("left", "growth", "stage", "due"),
        [
            (63 * MIB, 0.0, 1.0, True),
            (65 * MIB, 0.0, 1.0, False),
            (300 * MIB, 200.0 * MIB, 1.0, True),
            (500 * MIB, 200.0 * MIB, 1.0, False),
            (500 * MIB, -900.0 * MIB, 1.0, False),
            (-5 * MIB, 0.0, 0.25, True),
            (63 * MIB, 0.0, 0.25, False),
            (15 * MIB, 0.0, 0.25, True),
            (90 * MIB, 200.0 * MIB, 0.25, True),
            (110 * MIB, 200.0 * MIB, 0.25, False),
        ],
    )
    def test_due(self, left: int, growth: float, stage: float, due: bool) -> None:
        """By what is left, or by what will be in two seconds; the second look at a quarter of both."""
        assert is_due(Ceiling("x", 1000 * MIB, left), growth, stage) is due


@linux
def test_every_limit_has_its_own_meter() -> None:
    """The plan's counts this process, the machine's everybody; the tightest comes first."""
    ceilings = Ceilings(os.getpid(), 1 << 50)
    found = {ceiling.name: ceiling for ceiling in ceilings.now()}
    order = [ceiling.left_bytes for ceiling in ceilings.now()]
    ceilings.close()
    machine, plan = found["the machine's memory"], found["the plan's limits.memory_bytes"]
    assert 0 < machine.left_bytes < machine.limit_bytes + (1 << 40)
    assert 5 * MIB < plan.limit_bytes - plan.left_bytes < machine.limit_bytes
    assert order == sorted(order)
