"""Of each limit the most that was used; kills that were others'; words that speak of memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from record_folders import Records

from harness.facts.memory import kills_elsewhere, most_used, spoken
from probes import records

GIB = 1 << 30
GROUP = "/sys/fs/cgroup/memory/box/job"
ENVIRONMENT = {"memory_bytes": 16 * GIB, "available_bytes": 12 * GIB}


def used(folder: Records) -> dict[str, tuple[int, int | None]]:
    """Return limit -> (height, most used)."""
    found = [fact.value for fact in most_used.facts(folder.folder()) if fact.name == "memory_limit_used"]
    return {value["name"]: (value["limit_bytes"], value["most_bytes"]) for value in found}


class TestMostUsed:
    """The highest use, not the last."""

    def test_machine_at_its_worst_and_what_sampling_missed(self, tmp_path: Path) -> None:
        """The least that was available, and by how much the kernel's own peak lies above the samples."""
        rows = [{"t": 1, "available_bytes": 9 * GIB}, {"t": 1, "rss_bytes": GIB}, {"t": 2, "available_bytes": 11 * GIB}]
        made = Records(tmp_path).exit(max_rss_bytes=3 * GIB).environment(**ENVIRONMENT).lines(records.MEMORY, rows)
        assert used(made) == {most_used.MACHINE: (16 * GIB, 9 * GIB)}

    def test_gone_before_the_first_sample(self, tmp_path: Path) -> None:
        """What was free before it began, less its own peak."""
        made = Records(tmp_path).exit(max_rss_bytes=GIB).environment(**ENVIRONMENT)
        assert used(made) == {most_used.MACHINE: (16 * GIB, 5 * GIB)}

    @pytest.mark.parametrize(("peaks", "most"), [((5, 7), 7), ((7, 5), 7), ((None, None), None)])
    def test_groups_by_their_own_peak(self, tmp_path: Path, peaks: tuple[int | None, ...], most: int | None) -> None:
        """The tightest that a limit ever was; a group whose peak nobody read is not known."""
        rows = [
            {"t": number, "own": GROUP, "groups": [{
                "path": GROUP, "limit_bytes": limit, "usage_bytes": 1, **({} if peak is None else {"peak_bytes": peak}),
            }]}
            for number, (peak, limit) in enumerate(zip(peaks, (20, 10), strict=True))
        ]  # fmt: skip
        limits = {f"{GROUP}/memory.limit_in_bytes": 20, "/sys/fs/cgroup/memory/box/memory.limit_in_bytes": 30}
        made = Records(tmp_path).exit().environment(cgroup_memory_limits=limits).lines(records.PRESSURE, rows)
        outer = "control group, /sys/fs/cgroup/memory/box/memory.limit_in_bytes"
        assert used(made) == {f"control group, {GROUP}": (10, most), outer: (30, None)}

    def test_addresses_of_the_whole_tree(self, tmp_path: Path) -> None:
        """The lowest height that a limit had, against all addresses that were ever in use."""
        made = Records(tmp_path).exit().environment(rlimits={"RLIMIT_AS": [90, 90], "RLIMIT_DATA": [-1, -1]})
        made.lines(records.MEMORY, [{"t": 1, "rss_bytes": 1, "vms_bytes": 40}, {"t": 2, "tree_vms_bytes": 60}])
        made.lines(records.PRESSURE, [{"t": 1, "vms_bytes": 50, "rlimits": {"RLIMIT_AS": 70, "RLIMIT_DATA": None}}])
        assert used(made) == {"RLIMIT_AS": (70, 60)}

    def test_a_group_that_waits_and_a_machine_that_does(self, tmp_path: Path) -> None:
        """Without its OOM killer a group has its processes wait; PSI tells of any wait on the machine."""
        rows: list[dict[str, Any]] = [
            {"t": number, "groups": [{"path": GROUP, "under_oom": number}], "psi": {"some_total_seconds": 2.0 * number}}
            for number in (0, 1)
        ]
        found = {
            one.name: one.value for one in most_used.facts(Records(tmp_path).lines(records.PRESSURE, rows).folder())
        }
        assert found == {"under_oom": True, "memory_waits_seconds": 2.0}


def line(group: str, pid: int, why: str = "CONSTRAINT_MEMCG") -> str:
    """Return the kernel's line of one kill."""
    return (
        f"oom-kill:constraint={why},nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={group},task_memcg={group},"
        f"task=python,pid={pid},uid=0"
    )


@pytest.mark.parametrize(
    ("own", "lines", "count"),
    [
        (GROUP, [line("/box/other", 5)], 1),
        (GROUP, [line("/box/jobs", 5), line("/box/other", 6)], 2),
        (GROUP, [line("/box/job", 5)], None),
        (GROUP, [line("/box", 5)], None),
        (GROUP, [line("/", 5)], None),
        (GROUP, [line("/box/other", 77)], None),
        (GROUP, [line("/box/other", 5, "CONSTRAINT_NONE")], None),
        (GROUP, [line("/box/other", 5), line("/box/job", 6)], None),
        ("/sys/fs/cgroup/memory", [line("/box/other", 5)], None),
        (GROUP, [], None),
    ],
)
def test_kills_elsewhere(tmp_path: Path, own: str, lines: list[str], count: int | None) -> None:
    """Of strangers, each under a limit that does not hold for the target; one doubtful line makes all doubtful."""
    made = Records(tmp_path).exit().lines(records.PRESSURE, [{"t": 11, "own": own, "groups": []}])
    made.lines(records.KERNEL, [{"t": 11.5, "text": text} for text in lines])
    made.lines(records.KERNEL, [{"t": 900.0, "text": line("/box/job", 77)}])
    assert [fact.value for fact in kills_elsewhere.facts(made.folder())] == ([] if count is None else [count])


@pytest.mark.parametrize(
    ("text", "in_stderr", "in_log"),
    [
        ("RuntimeError: CUDA out of memory. Tried to allocate 2 MiB", True, True),
        ("Terminating due to java.lang.OutOfMemoryError: Java heap space", True, True),
        ("FATAL ERROR: Reached heap limit Allocation failed", True, True),
        ("could not allocate the batch", True, True),
        ("arena exhausted", True, True),
        ("terminate called after throwing an instance of 'std::bad_alloc'", True, True),
        ("there is no memory.", True, False),
        ("step 4: memory: 812 MiB", True, False),
        ("'pin_memory' argument is set as true", False, False),
        ("x = x.to(memory_format=torch.channels_last)", False, False),
        ("frame #1: fail(std::basic_string<char, std::allocator<char> > const&)", False, False),
        ("free(): double free detected in tcache 2", False, False),
        ("malloc(): corrupted top size", False, False),
        ("ValueError: no label", False, False),
    ],
)
def test_words(tmp_path: Path, text: str, in_stderr: bool, in_log: bool) -> None:
    """On stderr any word of memory, on stdout words of want alone; damage of a heap is none, nor a name in code."""
    for number, (name, said) in enumerate(((records.STDERR, in_stderr), (records.STDOUT, in_log))):
        made = Records(tmp_path / str(number)).exit().text(name, f"step 1\n{text}\n")
        found = spoken.facts(made.folder())
        assert [fact.value["text"] for fact in found] == ([text] if said else [])
        assert all(str(fact.sources[0]).endswith(f"{name}:2") for fact in found)


def test_words_of_any_process_and_any_cause(tmp_path: Path) -> None:
    """An exception that another was raised from, in a worker."""
    made = Records(tmp_path).exit()
    (made.path / "processes" / "78").mkdir(parents=True)
    error = {"pid": 78, "type": "ValueError", "message": "no batch", "chain": [{"type": "MemoryError", "message": ""}]}
    made.lines("processes/78/python_error.json", [error])
    assert [fact.value["text"] for fact in spoken.facts(made.folder())] == ["MemoryError: "]
