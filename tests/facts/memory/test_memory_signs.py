"""What the kernel and the program said of memory, and how it grew, from written records."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from record_folders import ID, Records

from harness.facts.memory import growth as memory_growth
from harness.facts.memory import signs as memory_facts
from harness.facts.memory import use as memory
from harness.model import Fact, Source
from probes import records

GROUP = "/sys/fs/cgroup/memory/a/inquest-5-1"
KILL = "Memory cgroup out of memory: Killed process 77 (python) total-vm:1kB"
CHOSEN = "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a/inquest-5-1,task=python,pid={pid},uid=0"
GLOBAL = "Out of memory: Killed process 77 (python) total-vm:1kB"
CONFINE = {"kind": "cgroup v1", "limit_bytes": 1000, "cgroup_procs": f"{GROUP}/cgroup.procs", "rlimits": None}


def row(t: float, kills: int, host: int, at: str | None = None, **more: Any) -> dict[str, Any]:
    """Return one row of pressure.jsonl with one group."""
    group = {"path": GROUP, "usage_bytes": 500, "limit_bytes": 1000, "oom_kill": kills, "oom_kill_local": kills}
    return {"t": t, **({"at": at} if at else {}), "oom_kill_host": host, "own": GROUP, "groups": [group], **more}


def read(folder: Records) -> dict[str, Fact]:
    """Return the facts by name."""
    return {fact.name: fact for fact in memory_facts.facts(folder.folder())}


def at(name: str, line: int) -> Source:
    """Return a source in the trial's folder."""
    return Source(f"trials/{ID}/{name}", line)


class TestKills:
    """Counters: only what was added during the trial counts."""

    def test_group_and_machine_are_told_apart(self, tmp_path: Path) -> None:
        """Two kills on the machine, one of them in the group; earlier ones are not the trial's."""
        rows = [row(1, 4, 10, "start"), row(2, 4, 11), row(3, 5, 12, "end")]
        found = read(Records(tmp_path).exit().lines(records.PRESSURE, rows))
        sources = (at("pressure.jsonl", 3), at("pressure.jsonl", 1))
        assert found["oom_kill_in_group"] == Fact("oom_kill_in_group", 1, sources)
        assert found["oom_kill_on_host"] == Fact("oom_kill_on_host", 2, sources)
        assert found["group_is_own"].value is False

    def test_a_kill_elsewhere_is_not_in_the_group(self, tmp_path: Path) -> None:
        """The machine killed somebody."""
        found = read(Records(tmp_path).lines(records.PRESSURE, [row(1, 0, 0, "start"), row(3, 0, 1, "end")]))
        assert (found["oom_kill_in_group"].value, found["oom_kill_on_host"].value) == (0, 1)

    def test_the_group_made_for_the_trial_counts_though_never_seen_in_it(self, tmp_path: Path) -> None:
        """A process may die before the next sample."""
        rows = [row(1, 0, 0, "start", own="/sys/fs/cgroup/memory/a"), row(2, 1, 1, "end")]
        found = read(Records(tmp_path).spec(confine=CONFINE).lines(records.PRESSURE, rows))
        assert (found["oom_kill_in_group"].value, found["group_is_own"].value) == (1, True)

    def test_no_counter_is_no_zero(self, tmp_path: Path) -> None:
        """Silence proves nothing."""
        rows = [{"t": 1, "at": "start", "groups": [], "oom_kill_host": None}, {"t": 2, "groups": []}]
        assert read(Records(tmp_path).lines(records.PRESSURE, rows)) == {}


class TestKernelLine:
    """The kernel's own words."""

    @pytest.mark.parametrize(
        ("lines", "names", "line"),
        [
            (["nothing", KILL], "process", 2),
            ([GLOBAL], "process", 1),
            ([CHOSEN.format(pid=77)], "process", 1),
            ([CHOSEN.format(pid=99)], "group", 1),
            ([CHOSEN.format(pid=99), KILL], "process", 2),
            ([KILL.replace("77", "177")], None, 0),
            ([CHOSEN.format(pid=99).replace("inquest-5-1,", "inquest-5-11,")], None, 0),
        ],
    )
    def test_must_name_the_process_or_its_group(
        self, tmp_path: Path, lines: list[str], names: str | None, line: int
    ) -> None:
        """A neighbour's death is not ours; the process' own line comes first."""
        folder = Records(tmp_path).exit().spec(confine=CONFINE)
        found = read(folder.lines(records.KERNEL, [{"t": 11, "level": 3, "text": text} for text in lines]))
        fact = found.get("kernel_oom_line")
        assert (fact.value["names"] if fact else None) == names
        assert fact is None or fact.sources == (at("kernel.jsonl", line),)

    @pytest.mark.parametrize(("t", "is_ours"), [(8.0, False), (9.5, True), (11.0, True), (14.0, False)])
    def test_must_be_of_the_trial_s_time(self, tmp_path: Path, t: float, is_ours: bool) -> None:
        """A process id may have been another's before; the trial ran from 10 s to 12 s."""
        found = read(Records(tmp_path).exit().lines(records.KERNEL, [{"t": t, "level": 3, "text": GLOBAL}]))
        assert ("kernel_oom_line" in found) is is_ours

    def test_shared_group_s_victim_must_be_known(self, tmp_path: Path) -> None:
        """Others are in it as well: a stranger's death there says nothing of this one."""
        folder = Records(tmp_path).exit().lines(records.PRESSURE, [row(10, 0, 0, "start"), row(12, 1, 1, "end")])
        found = read(folder.lines(records.KERNEL, [{"t": 11, "level": 3, "text": CHOSEN.format(pid=99)}]))
        assert "kernel_oom_line" not in found


class TestAllocationFailure:
    """The program's own words."""

    @pytest.mark.parametrize(
        ("text", "sign"),
        [
            ("RuntimeError: [enforce fail at alloc_cpu.cpp:119] . DefaultCPUAllocator: can't", "DefaultCPUAllocator"),
            ("terminate called after throwing an instance of 'std::bad_alloc'", "std::bad_alloc"),
            ("MemoryError", "MemoryError"),
            ("RuntimeError: could not create a primitive", "could not create a primitive"),
            ("OSError: [Errno 12] Cannot allocate memory", "Cannot allocate memory"),
            ("libgomp: Thread creation failed: Resource temporarily unavailable", None),
        ],
    )
    def test_on_stderr(self, tmp_path: Path, text: str, sign: str | None) -> None:
        """The line and its sign; a thread that could not be made is no memory that is missing."""
        fact = read(Records(tmp_path).exit().text(records.STDERR, f"a\n{text}\nb\n")).get("allocation_failure")
        assert (fact.value["sign"] if fact else None) == sign
        assert fact is None or fact.sources == (at("stderr.log", 2),)

    def test_says_how_much_was_asked_for(self, tmp_path: Path) -> None:
        """As torch's allocator does."""
        text = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000 bytes. Error code 12"
        rows = [{"pid": 77, "type": "RuntimeError", "message": text}]
        fact = read(Records(tmp_path).exit().lines(records.PYTHON_ERROR, rows))["allocation_failure"]
        assert fact.value["wanted_bytes"] == 4000
        assert fact.sources == (at("python_error.json", 1),)

    def test_long_ago_does_not_count(self, tmp_path: Path) -> None:
        """400 lines before the end the program had got over it."""
        text = "MemoryError\n" + "well\n" * 400
        assert "allocation_failure" not in read(Records(tmp_path).exit().text(records.STDERR, text))


class TestSizes:
    """PSS, USS, commit, stalls, and real use under a group's limit."""

    def test_are_told_with_their_rows(self, tmp_path: Path) -> None:
        """Highest sizes; commit as of the last living row."""
        rows = [
            row(
                1,
                0,
                0,
                "start",
                committed_bytes=10,
                commit_limit_bytes=100,
                overcommit="2",
                psi={"full_total_seconds": 1},
            ),
            row(
                2,
                0,
                0,
                rss_bytes=9,
                file_bytes=3,
                pss_bytes=7,
                uss_bytes=6,
                swap_bytes=1,
                committed_bytes=60,
                commit_limit_bytes=100,
            ),
            row(3, 0, 0, "end", committed_bytes=5, commit_limit_bytes=100, psi={"full_total_seconds": 1.5}),
        ]
        found = read(Records(tmp_path).lines(records.PRESSURE, rows))
        values = {name: found[name].value for name in ("pss_bytes", "uss_bytes", "swap_peak_bytes", "file_bytes")}
        assert values == {"pss_bytes": 7, "uss_bytes": 6, "swap_peak_bytes": 1, "file_bytes": 3}
        assert (found["commit_headroom_bytes"].value, found["commit_headroom_bytes"].sources[0].line) == (40, 2)
        assert found["commit_limit_holds"].value is True
        assert found["memory_stall_seconds"].value == 0.5

    @pytest.mark.parametrize(("cache", "rss", "left"), [(0, 400, 500), (300, 400, 800), (0, 650, 250), (0, 5000, 0)])
    def test_headroom_counts_the_group_s_real_use(self, tmp_path: Path, cache: int, rss: int, left: int) -> None:
        """Use less pages of files, and what the process has grown by since; never below nothing."""
        sample = {"rss_bytes": rss, "vms_bytes": 9000, "threads": 1}
        live = row(2, 0, 0, rss_bytes=400)
        live["groups"][0]["cache_bytes"] = cache
        folder = Records(tmp_path).environment(memory_bytes=9000).lines(records.PRESSURE, [live, row(9, 0, 0, "end")])
        folder.lines(records.MEMORY, [{"t": 2, **sample}, {"t": 2, "available_bytes": 8000}])
        found = {fact.name: fact for fact in memory.facts(folder.folder())}
        assert (found["headroom_bytes"].value, found["memory_limit_bytes"].value) == (left, 1000)
        assert found["headroom_bytes"].sources[0] == at("pressure.jsonl", 1)

    def test_data_limit_counts_growth_since(self, tmp_path: Path) -> None:
        """RLIMIT_DATA as the boot was to set it, VMS telling what came after the last row."""
        confine = {"kind": "RLIMIT_DATA", "limit_bytes": 1000, "cgroup_procs": None, "rlimits": {"RLIMIT_DATA": 1000}}
        folder = Records(tmp_path).environment(memory_bytes=9000).spec(confine=confine)
        folder.lines(records.PRESSURE, [{"t": 1, "at": "start", "data_bytes": 100, "vms_bytes": 300, "groups": []}])
        sample = {"rss_bytes": 50, "vms_bytes": 1100, "threads": 1}
        folder.lines(records.MEMORY, [{"t": 2, **sample}, {"t": 2, "available_bytes": 8000}])
        found = {fact.name: fact for fact in memory.facts(folder.folder())}
        assert (found["memory_limit_name"].value, found["headroom_bytes"].value) == ("RLIMIT_DATA", 100)


def steps(root: Path, sizes: list[int], available: int = 1000) -> Records:
    """Return a run with one forward a step, and RSS at each step's end; a step lasts 1 s, from t = its number."""
    folder = Records(root).exit(max_rss_bytes=None).environment(memory_bytes=9000)
    for step, size in enumerate(sizes, 1):
        place = {"module": "net", "call": 1, "step": step, "depth": 0, "thread": 7}
        folder.lines(
            records.FORWARDS, [{"t": step + dt, "event": what, **place} for dt, what in ((0.1, "begin"), (0.5, "end"))]
        )
        folder.lines(records.MEMORY, [{"t": step + 0.9, "rss_bytes": size, "vms_bytes": size, "threads": 1}])
    return folder.lines(records.MEMORY, [{"t": 99, "available_bytes": available}])


def growth(folder: Records) -> dict[str, Fact]:
    """Return the facts of growth by name."""
    return {fact.name: fact for fact in memory_growth.facts(folder.folder())}


class TestGrowth:
    """By step, and where it leads."""

    def test_foretells_the_step_of_exhaustion(self, tmp_path: Path) -> None:
        """50 a step with 1000 left: 20 steps more after the last that has ended."""
        found = growth(steps(tmp_path, [1000 + 50 * step for step in range(1, 13)]))
        assert found["growth_bytes_per_step"].value == 50
        assert found["growth_bytes_per_step"].sources == (at("memory.jsonl", 3), at("memory.jsonl", 11))
        assert found["predicted_step_of_exhaustion"].value == 11 + 20

    @pytest.mark.parametrize("sizes", [[1000] * 12, [1000, 1400] * 6, [2000 - 50 * step for step in range(12)]])
    def test_foretells_nothing_without_growth(self, tmp_path: Path, sizes: list[int]) -> None:
        """A flat, a swinging and a falling use lead nowhere."""
        found = growth(steps(tmp_path, sizes))
        assert "growth_bytes_per_step" in found and "predicted_step_of_exhaustion" not in found

    def test_too_few_steps_are_no_growth(self, tmp_path: Path) -> None:
        """The first steps always grow."""
        assert "growth_bytes_per_step" not in growth(steps(tmp_path, [100, 200, 300, 400, 500, 600]))

    def test_line(self) -> None:
        """Against a line worked out by hand: slope 0.6, squared residuals 2.4 over 3 degrees of freedom."""
        line = memory_growth.fit([1, 2, 3, 4, 5], [2, 4, 5, 4, 5])
        assert line.slope == pytest.approx(0.6)
        assert line.error == pytest.approx(math.sqrt(2.4 / 3 / 10))


class TestPeak:
    """Who raised it, and whether it was seen."""

    def raised(self, root: Path, forwards: list[tuple[float, str, str, int]], rise_at: float) -> Any:
        """Return the fact for RSS that rises between two samples, `rise_at` being the second."""
        folder = Records(root).lines(records.MEMORY, [
            {"t": t, "rss_bytes": size, "vms_bytes": 1, "threads": 1}
            for t, size in ((rise_at - 0.1, 100), (rise_at, 999), (rise_at + 0.1, 1000))
        ])  # fmt: skip
        rows = [
            {"t": t, "event": event, "module": name, "call": 2, "step": 3, "depth": depth, "thread": 7}
            for t, event, name, depth in forwards
        ]
        return growth(folder.lines(records.FORWARDS, rows))["peak_raised_by"]

    FORWARDS = [
        (1.0, "begin", "net", 0),
        (1.2, "begin", "backbone", 1),
        (1.6, "end", "backbone", 1),
        (2.0, "end", "net", 0),
    ]

    def test_innermost_forward(self, tmp_path: Path) -> None:
        """The last per cent of the rise is noise."""
        fact = self.raised(tmp_path, self.FORWARDS, 1.5)
        assert fact.value == {"module": "backbone", "call": 2, "step": 3, "rise_bytes": 899}
        assert fact.sources == (at("memory.jsonl", 2), at("forwards.jsonl", 2))

    def test_forward_that_never_ended(self, tmp_path: Path) -> None:
        """The process died in it."""
        assert self.raised(tmp_path, self.FORWARDS[:2], 7.0).value["module"] == "backbone"

    def test_outside_of_all(self, tmp_path: Path) -> None:
        """In the backward, say."""
        fact = self.raised(tmp_path, self.FORWARDS, 2.5)
        assert fact.value == {"module": None, "call": None, "step": None, "rise_bytes": 899}

    @pytest.mark.parametrize(
        ("kernel", "own", "missed"), [(2000, 0, 1000), (1040, 0, None), (2000, 1990, None), (None, 0, None)]
    )
    def test_missed(self, tmp_path: Path, kernel: int | None, own: int, missed: int | None) -> None:
        """More than 5 % above; a peak that is the supervisor's own size at the fork says nothing."""
        folder = Records(tmp_path).exit(max_rss_bytes=kernel).environment(supervisor_rss_bytes=own)
        folder.lines(records.MEMORY, [{"t": 1, "rss_bytes": 1000, "vms_bytes": 1, "threads": 1}])
        fact = growth(folder).get("peak_missed_by_sampling")
        assert (fact.value["missed_bytes"] if fact else None) == missed
