"""Trials under a memory limit: real OOM kills, allocations that fail, and what is left behind (nothing)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from observing import Observed, observe, python_children, victim

from harness.decide import memory_ladder
from harness.facts import reading as facts
from harness.launch import memory_limit, trial
from harness.launch.memory_limit import Confinement, parents
from harness.model import Trial
from harness.plan import plan_file as plan
from probes import records

MIB = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are enforced on Linux only")
GROUP = pytest.mark.skipif(not parents(), reason="no memory control group may be made here")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user who may make no control group."""
    monkeypatch.setattr(memory_limit, "parents", lambda *_: [])


def confined(root: Path, limit: int | None, name: str, *arguments: object) -> Observed:
    """Run a victim under a limit."""
    command = [str(word) for word in (victim(name), *arguments)]
    read = plan.parse({"target": {"command": command}, "limits": {"wall_seconds": 60}}, root / "plan.yaml")
    folder = root / "trials" / "as-is/1"
    trial.run(trial.Request("as-is/1", folder, read.baseline, read, memory_limit_bytes=limit), lambda _: True)
    return Observed(root, facts.read(root, "as-is/1"))


def record(observed: Observed) -> dict[str, object]:
    """confine.json."""
    return records.read_json(observed.folder / records.CONFINE) or {}


def left() -> list[Path]:
    """Return the groups that this process has made and that are still there."""
    return [group for _, parent in parents() for group in parent.glob(f"inquest-{os.getpid()}-*")]


@GROUP
class TestGroup:
    """A control group of the trial's own."""

    def test_too_much_is_killed_by_the_kernel(self, tmp_path: Path) -> None:
        """SIGKILL, counted in the group, told by the kernel; the group and the process are gone."""
        before = (left(), python_children())
        observed = confined(tmp_path, 100 * MIB, "memory_touch", 200)
        found = observed.trial
        assert (found.outcome, found.exit.signal) == ("died", "SIGKILL")
        assert found.value("oom_kill_in_group") == 1 and found.value("group_is_own")
        assert found.value("oom_kill_on_host") >= 1
        assert '"oom_kill":1' in observed.cited("oom_kill_in_group")
        assert record(observed)["applied"] is True and record(observed)["removed"] is True
        assert found.value("confinement") == {"kind": parents()[0][0], "limit_bytes": 100 * MIB, "applied": True}
        assert found.value("group_peak_bytes") >= 0.95 * 100 * MIB
        assert found.value("memory_limit_bytes") == 100 * MIB
        assert found.value("headroom_bytes") < 20 * MIB
        assert (left(), python_children()) == before

    def test_the_kernel_s_line_is_found(self, tmp_path: Path) -> None:
        """The line names the process, and the source is that line."""
        observed = confined(tmp_path, 100 * MIB, "memory_touch", 200)
        if any(gap.probe == "kernel log" for gap in observed.trial.gaps):
            pytest.skip("the kernel log cannot be read here")
        line = observed.trial.value("kernel_oom_line")
        assert line["names"] == "process"
        assert f"Killed process {observed.exit['pid']}" in line["text"]
        assert line["text"][:40] in observed.cited("kernel_oom_line")

    def test_enough_is_no_trouble(self, tmp_path: Path) -> None:
        """The target lives; no kill is counted; the peak is the group's."""
        observed = confined(tmp_path, 400 * MIB, "memory_touch", 80, 0.5)
        assert observed.trial.outcome == "completed"
        assert observed.trial.value("oom_kill_in_group") == 0
        assert 80 * MIB < observed.trial.value("group_peak_bytes") < 200 * MIB
        assert record(observed)["removed"] is True
        assert left() == []

    def test_ladder_of_a_real_target(self, tmp_path: Path) -> None:
        """A kill from outside is told from an OOM kill; an OOM kill is recognized."""
        plain = observe(tmp_path / "plain", victim("memory_touch"), 160, 0.5).trial
        peak = memory_ladder.countable_peak(plain, memory_limit.kind_here())
        assert peak is not None and 160 * MIB <= peak <= (plain.peak_rss_bytes or 0)
        rungs: list[tuple[float, Trial]] = [
            (rung, confined(tmp_path / str(rung), limit, "memory_touch", 160, 0.3).trial)
            for rung, limit in memory_ladder.limits(peak, (1.5, 0.6))
        ]
        killed = observe(tmp_path / "killed", victim("kill_self"), "SIGKILL").trial
        crashed = observe(tmp_path / "crashed", victim("segv")).trial
        reading = memory_ladder.compare(rungs[1][1], rungs)
        assert list(reading.died_at) == [0.6]
        assert [look.ending for look in reading.signature_of_exhaustion] == ["SIGKILL"]
        assert reading.matches == "yes"
        assert memory_ladder.compare(killed, rungs).matches == "no"
        assert memory_ladder.compare(crashed, rungs).matches == "no"


@pytest.mark.usefixtures("ordinary")
class TestResourceLimit:
    """Where no group may be made."""

    def test_an_allocation_fails(self, tmp_path: Path) -> None:
        """MemoryError, with its words and the limit."""
        observed = confined(tmp_path, 100 * MIB, "memory_touch", 200)
        found = observed.trial
        assert (found.outcome, found.exit.code) == ("died", 1)
        assert found.value("allocation_failure")["sign"] == "MemoryError"
        assert "MemoryError" in observed.cited("allocation_failure")
        assert record(observed) == {
            "kind": "RLIMIT_DATA", "limit_bytes": 100 * MIB, "applied": True, "group": None, "use_at_end": None,
            "removed": None,
        }  # fmt: skip
        assert found.value("memory_limit_name") == "RLIMIT_DATA"

    def test_an_unchecked_allocation_is_a_segmentation_fault(self, tmp_path: Path) -> None:
        """A SIGSEGV may be exhaustion: nothing but the limit tells."""
        assert confined(tmp_path / "a", None, "memory_unchecked").trial.outcome == "completed"
        found = confined(tmp_path / "b", 300 * MIB, "memory_unchecked").trial
        assert found.exit.signal == "SIGSEGV"
        assert found.value("allocation_failure") is None
        assert found.value("memory_limit_name") == "RLIMIT_DATA"

    def test_no_limit_is_no_record(self, tmp_path: Path) -> None:
        """A plain trial has no confine.json, no such fact, and nothing in its spec."""
        observed = confined(tmp_path, None, "healthy")
        assert record(observed) == {} and observed.trial.value("confinement") is None
        assert (records.read_json(observed.folder / records.SPEC) or {})["confine"] is None


class TestWhere:
    """Which group may hold ours."""

    def tree(self, root: Path, folders: dict[str, dict[str, str]]) -> Path:
        """Make a hierarchy."""
        for name, files in folders.items():
            (root / name).mkdir(parents=True, exist_ok=True)
            for file, text in files.items():
                (root / name / file).write_text(text)
        return root

    def test_version_2_below_the_group_that_delegates(self, tmp_path: Path) -> None:
        """A group with processes cannot have groups with a limit; the one above it can."""
        counts = {"memory.current": "1", "memory.max": "max", "cgroup.procs": ""}
        root = self.tree(tmp_path / "cg", {
            "a": {**counts, "cgroup.subtree_control": "cpu memory\n"},
            "a/b": {**counts, "cgroup.subtree_control": "\n"},
        })  # fmt: skip
        (tmp_path / "self").write_text("0::/a/b\n")
        assert parents(tmp_path / "self", root) == [("cgroup v2", root / "a")]
        (root / "a/b/memory.max").write_text("5000\n")  # it would be escaped
        assert parents(tmp_path / "self", root) == []

    def test_version_1_below_the_own_group(self, tmp_path: Path) -> None:
        """So that every limit above holds on."""
        root = self.tree(tmp_path / "cg", {"memory/x": {"memory.usage_in_bytes": "1", "cgroup.procs": ""}})
        (tmp_path / "self").write_text("4:memory:/x\n")
        assert parents(tmp_path / "self", root) == [("cgroup v1", root / "memory/x")]

    def test_nowhere(self, tmp_path: Path) -> None:
        """No controller, no group."""
        (tmp_path / "self").write_text("0::/\n")
        assert parents(tmp_path / "self", tmp_path / "cg") == []

    def test_a_refusal_falls_back(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where mkdir is refused after all, the resource limit is used."""
        monkeypatch.setattr(memory_limit, "parents", lambda *_: [("cgroup v1", tmp_path / "missing" / "group")])
        with Confinement(1 << 30, tmp_path / "trial") as made:
            assert made.spec == {
                "kind": "RLIMIT_DATA", "limit_bytes": 1 << 30, "cgroup_procs": None,
                "rlimits": {"RLIMIT_DATA": 1 << 30},
            }  # fmt: skip

    def test_a_system_without_limits_leaves_a_gap(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The trial runs without a limit, and that is told."""
        monkeypatch.setattr(sys, "platform", "win32")
        with Confinement(1 << 30, tmp_path) as made:
            assert (made.kind, made.spec) == (None, None)
        assert (records.read_json(tmp_path / records.CONFINE) or {})["kind"] is None
        assert (
            "no memory limit can be set on win32" in records.read_lines(tmp_path / records.GAPS).rows[0].value["reason"]
        )

    @GROUP
    def test_an_error_while_it_runs_still_removes_the_group(self, tmp_path: Path) -> None:
        """Cleanup is not left to good luck."""
        with pytest.raises(RuntimeError), Confinement(1 << 30, tmp_path / "gone") as made:
            assert made.group is not None and made.group.is_dir()
            raise RuntimeError
        assert left() == []
