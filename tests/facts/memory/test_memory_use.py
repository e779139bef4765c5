"""How much memory was used, and how much was left under the tightest limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from record_folders import ID, Records

from harness.facts.folder import TrialFolder
from harness.facts.memory import use as memory
from harness.model import Fact, Source
from probes.records import MEMORY

OWN = {"rss_bytes": 400, "vms_bytes": 900, "threads": 3, "cpu_seconds": 0.1}
MACHINE = {"processes": 1, "tree_rss_bytes": 400, "available_bytes": 5000, "swap_free_bytes": 100}
LIMITS: dict[str, Any] = {"wall_seconds": None, "no_progress_seconds": None, "memory_bytes": None, "steps": None}


def read(folder: Records) -> dict[str, Fact]:
    """Return the facts of memory by name."""
    return {fact.name: fact for fact in memory.facts(folder.folder())}


def sampled(root: Path) -> Records:
    """Return a folder with one sample of the process and one of the machine, on a machine of 8000 bytes."""
    return Records(root).environment(memory_bytes=8000).lines(MEMORY, [{"t": 1, **OWN}, {"t": 1, **MACHINE}])


class TestUse:
    """Peak, last, and threads."""

    def test_peak_is_the_kernel_s_where_it_has_one(self, tmp_path: Path) -> None:
        """Sampling can miss a peak, ru_maxrss cannot."""
        found = read(sampled(tmp_path).exit(max_rss_bytes=777))
        assert found["peak_rss_bytes"].value == 777
        assert found["peak_rss_bytes"].sources[0].file == f"trials/{ID}/exit.json"

    @pytest.mark.parametrize(("supervisor", "peak"), [(100, 777), (777, 400), (5000, 400)])
    def test_peak_is_not_the_supervisor_s_own(self, tmp_path: Path, supervisor: int, peak: int) -> None:
        """ru_maxrss starts at the size of the process that forked the child: no more than that is not its own."""
        folder = Records(tmp_path).environment(memory_bytes=8000, supervisor_rss_bytes=supervisor)
        folder = folder.lines(MEMORY, [{"t": 1, **OWN}, {"t": 1, **MACHINE}])
        assert read(folder.exit(max_rss_bytes=777))["peak_rss_bytes"].value == peak

    @pytest.mark.parametrize("written", [True, False])
    def test_peak_is_the_sampled_one_else(self, tmp_path: Path, written: bool) -> None:
        """Without the kernel's word, the highest sample counts, with its line."""
        rows = [{"t": t, **OWN, "rss_bytes": rss} for t, rss in ((1, 10), (2, 30), (3, 20))]
        folder = Records(tmp_path).lines(MEMORY, rows)
        found = read(folder.exit(max_rss_bytes=None) if written else folder)
        assert found["peak_rss_bytes"].value == 30
        assert found["peak_rss_bytes"].sources == (Source(f"trials/{ID}/memory.jsonl", 2),)
        assert (found["rss_at_end_bytes"].value, found["rss_at_end_bytes"].sources[0].line) == (20, 3)

    def test_gone_before_a_sample_its_peak_is_at_most_the_kernel_s(self, tmp_path: Path) -> None:
        """Where nothing was sampled, there is no better bound, whatever the supervisor's size."""
        folder = Records(tmp_path).environment(available_bytes=4000, memory_bytes=8000, supervisor_rss_bytes=800)
        found = read(folder.exit(max_rss_bytes=777))
        assert (found["peak_rss_bytes"].value, found["headroom_bytes"].value) == (777, 4000 - 777)

    def test_most_threads(self, tmp_path: Path) -> None:
        """The highest count with its line."""
        rows = [{"t": t, **OWN, "threads": count} for t, count in ((1, 1), (2, 5), (3, 2))]
        found = read(Records(tmp_path).lines(MEMORY, rows))["threads_max"]
        assert (found.value, found.sources[0].line) == (5, 2)

    def test_nothing_sampled_is_nothing_known(self, tmp_path: Path) -> None:
        """Neither a number nor a headroom is made up."""
        assert read(Records(tmp_path)) == {}
        assert "headroom_bytes" not in read(Records(tmp_path / "b").lines(MEMORY, [{"t": 1, **OWN}]))


class TestTightestLimit:
    """The limit that would have been hit first."""

    @pytest.mark.parametrize(
        ("environment", "planned", "name", "total", "left"),
        [
            ({}, None, "the machine's memory", 8000, 5100),
            ({"cgroup_memory_limits": {"/sys/a": 1000}}, None, "control group, /sys/a", 1000, 600),
            ({"cgroup_memory_limits": {"/sys/a": 1000, "/sys/b": 900}}, None, "control group, /sys/b", 900, 500),
            ({"cgroup_memory_limits": {"/sys/a": 90000}}, None, "the machine's memory", 8000, 5100),
            ({"rlimits": {"RLIMIT_AS": [1300, 1300]}}, None, "RLIMIT_AS", 1300, 400),
            ({"rlimits": {"RLIMIT_AS": [-1, -1]}}, None, "the machine's memory", 8000, 5100),
            ({"cgroup_memory_limits": {"/sys/a": 1000}}, 450, "the plan's limits.memory_bytes", 450, 50),
            ({}, 100, "the plan's limits.memory_bytes", 100, -300),
        ],
    )
    def test_wins(
        self, tmp_path: Path, environment: dict[str, Any], planned: int | None, name: str, total: int, left: int
    ) -> None:
        """The least headroom of all limits that are known, address space measured by VMS, all others by RSS."""
        folder = (
            sampled(tmp_path)
            .environment(memory_bytes=8000, **environment)
            .spec(limits={**LIMITS, "memory_bytes": planned})
        )
        found = read(folder)
        assert found["memory_limit_name"].value == name
        assert (found["memory_limit_bytes"].value, found["headroom_bytes"].value) == (total, left)

    def test_cites_limit_and_sample(self, tmp_path: Path) -> None:
        """The line of environment.json that holds the limit, and the line of the sample."""
        folder = sampled(tmp_path).environment(memory_bytes=8000, cgroup_memory_limits={"/sys/a": 1000})
        sources = read(folder)["headroom_bytes"].sources
        text = (folder.path / "environment.json").read_text().splitlines()
        assert [source.file.split("/")[-1] for source in sources] == ["environment.json", "memory.jsonl"]
        assert '"/sys/a": 1000' in text[sources[0].line - 1]
        assert sources[1].line == 1

    def test_is_as_of_the_last_sample(self, tmp_path: Path) -> None:
        """Use at death counts, not the peak of before."""
        rows = [{"t": 1, **OWN, "rss_bytes": 900}, {"t": 1, **MACHINE}, {"t": 2, **OWN, "rss_bytes": 300}]
        folder = Records(tmp_path).environment(memory_bytes=8000, cgroup_memory_limits={"/g": 1000}).lines(MEMORY, rows)
        assert read(folder)["headroom_bytes"].value == 700


def test_gone_before_the_first_sample(tmp_path: Path) -> None:
    """The kernel's peak and what was free at the launch bound what was left."""
    folder = tmp_path / "trials" / "a" / "1"
    folder.mkdir(parents=True)
    (folder / "environment.json").write_text('{\n "memory_bytes": 1000,\n "available_bytes": 900\n}\n')
    (folder / "exit.json").write_text('{\n "signal": "SIGKILL",\n "max_rss_bytes": 100\n}\n')
    row = '{"groups": [{"path": "/g", "limit_bytes": 700, "usage_bytes": 300, "cache_bytes": 50}]}\n'
    (folder / "pressure.jsonl").write_text(row)
    found = {fact.name: fact.value for fact in memory.facts(TrialFolder(tmp_path, "a/1"))}
    assert (found["headroom_bytes"], found["memory_limit_bytes"]) == (350, 700)
    assert found["memory_limit_name"] == "control group, /g"
