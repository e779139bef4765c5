"""What the kernel counts of memory around a real process, and how its files are read."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from probes import records
from probes.outside.memory.control_group_limits import counting_group, memory_groups
from probes.outside.memory.control_group_use import is_limited, use_of
from probes.outside.memory.pressure import PressureProbe
from probes.outside.memory.smaps_rollup import sums
from probes.outside.probe import Watched

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="these counters are Linux's")
ROLLUP = """5613d13cd000-7fff9d7ba000 ---p 00000000 00:00 0                          [rollup]
Rss:                1748 kB
Pss:                 252 kB
Private_Clean:        40 kB
Private_Dirty:       112 kB
SwapPss:               3 kB
"""
V1 = {
    "memory.usage_in_bytes": "900\n", "memory.limit_in_bytes": "1000\n", "memory.max_usage_in_bytes": "950\n",
    "memory.failcnt": "7\n", "memory.oom_control": "oom_kill_disable 0\nunder_oom 1\noom_kill 2\n",
    "memory.stat": "cache 1\ninactive_file 1\nactive_file 1\ntotal_inactive_file 30\ntotal_active_file 40\n",
}  # fmt: skip
V2 = {
    "memory.current": "900\n", "memory.max": "max\n", "memory.peak": "950\n", "memory.events": "low 0\noom_kill 3\n",
    "memory.events.local": "low 0\noom_kill 1\n", "memory.stat": "anon 5\ninactive_file 30\nactive_file 40\n",
}  # fmt: skip


def group(root: Path, files: dict[str, str]) -> Path:
    """Make a group as the kernel lays it out."""
    root.mkdir(parents=True)
    for name, text in files.items():
        (root / name).write_text(text)
    return root


class TestGroup:
    """One control group in numbers."""

    def test_version_1(self, tmp_path: Path) -> None:
        """All numbers; pages of files are those of the whole tree below."""
        assert use_of(group(tmp_path / "g", V1)) == {
            "path": str(tmp_path / "g"), "usage_bytes": 900, "limit_bytes": 1000, "peak_bytes": 950, "failcnt": 7,
            "oom_kill": 2, "oom_kill_local": 2, "under_oom": 1, "cache_bytes": 70,
        }  # fmt: skip

    def test_version_2(self, tmp_path: Path) -> None:
        """ "max" is no limit; a kill in a group below counts in one of the two counters only."""
        assert use_of(group(tmp_path / "g", V2)) == {
            "path": str(tmp_path / "g"), "usage_bytes": 900, "peak_bytes": 950, "oom_kill": 3, "oom_kill_local": 1,
            "cache_bytes": 70,
        }  # fmt: skip

    def test_a_folder_without_files_is_no_number(self, tmp_path: Path) -> None:
        """Nothing is made up."""
        assert use_of(tmp_path) == {"path": str(tmp_path)}
        assert not is_limited(tmp_path)

    def test_groups_that_count_are_found_own_first(self, tmp_path: Path) -> None:
        """The root of version 2 counts nothing, and is left out."""
        own = group(tmp_path / "cgroup" / "a", V2)
        (tmp_path / "membership").write_text("0::/a\n")
        assert memory_groups(tmp_path / "membership", tmp_path / "cgroup") == [own]
        assert counting_group(tmp_path / "membership", tmp_path / "cgroup") == (own, False)
        assert counting_group(tmp_path / "none", tmp_path / "cgroup") == (None, False)


class TestRollup:
    """smaps_rollup."""

    def test_uss_is_what_is_private(self) -> None:
        """Bytes, not kilobytes."""
        assert sums(ROLLUP) == {"pss_bytes": 252 << 10, "swap_pss_bytes": 3 << 10, "uss_bytes": 152 << 10}

    def test_a_dead_process_has_none(self) -> None:
        """An empty file gives no zeros."""
        assert sums("") == {}


@LINUX
class TestProbe:
    """The rows of a real process."""

    def watch(self, folder: Path, seconds: float) -> tuple[list[dict[str, object]], float]:
        """Return the rows of a sleeping process that is killed, and the longest time that one sample took."""
        folder.mkdir(exist_ok=True)
        with ExitStack() as stack:
            process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            stack.callback(process.wait)
            stack.callback(process.kill)
            probe = PressureProbe(Watched(process.pid, folder, 0.02, time.perf_counter()))
            longest, end = 0.0, time.perf_counter() + seconds
            while time.perf_counter() < end:
                before = time.perf_counter()
                probe.sample(before)
                longest = max(longest, time.perf_counter() - before)
                time.sleep(0.1)
            process.kill()
            time.sleep(0.1)  # dead, and not reaped
            probe.close()
        return [row.value for row in records.read_lines(folder / records.PRESSURE).rows], longest

    def test_first_and_last_value_are_there(self, tmp_path: Path) -> None:
        """Counters at the launch and at the end; the dead process has no sizes, and shows no group of its own."""
        rows, _ = self.watch(tmp_path, 0.0)
        assert [row["at"] for row in rows] == ["start", "end"]
        assert all(isinstance(row["oom_kill_host"], int) and row["psi"] is not None for row in rows)
        assert "rss_bytes" in rows[0] and "rss_bytes" not in rows[1]
        assert "own" not in rows[1]
        assert [one["path"] for one in rows[0]["groups"]] == [one["path"] for one in rows[1]["groups"]]  # type: ignore[attr-defined]
        assert rows[0]["overcommit"] in ("0", "1", "2")

    def test_sizes_and_limits(self, tmp_path: Path) -> None:
        """PSS comes at its own pace; limits are told once; USS is no more than PSS, PSS no more than RSS."""
        rows, longest = self.watch(tmp_path, 1.0)
        whole = [row for row in rows if "pss_bytes" in row]
        assert len(whole) == 1
        assert 0 < whole[0]["uss_bytes"] <= whole[0]["pss_bytes"] <= whole[0]["rss_bytes"]  # type: ignore[operator]
        assert [row for row in rows if "rlimits" in row] == rows[:1]
        assert longest < 0.5
        assert not (tmp_path / records.GAPS).exists()

    def test_the_group_made_for_the_trial_is_read_from_the_start(self, tmp_path: Path) -> None:
        """The child enters it later: its counters begin at the launch all the same."""
        made = group(tmp_path / "inquest-1-1", V1)
        confine = {
            "kind": "cgroup v1",
            "limit_bytes": 1000,
            "cgroup_procs": str(made / "cgroup.procs"),
            "rlimits": None,
        }
        records.write_json(tmp_path / records.SPEC, {"confine": confine})
        rows, _ = self.watch(tmp_path, 0.0)
        assert [row["groups"][0]["path"] for row in rows] == [str(made), str(made)]  # type: ignore[index]


def test_other_systems_leave_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere there is nothing to read, and that is said."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert "Linux only" in str(PressureProbe.missing())
