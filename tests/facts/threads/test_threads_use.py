"""What the threads were, did, could be and were told: from records, and from real programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from observing import observe
from record_folders import ID, Records

from harness.facts.refused import limit_use
from harness.facts.threads import limits as thread_limits
from harness.facts.threads import use as threading_facts
from harness.model import Fact
from probes.records import ENVIRONMENT, INSIDE, MAPS, THREADS

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
GOMP = "7f00-7f01 r-xp 00000000 fe:00 1   /x/libgomp-a34b3233.so.1\n"
IOMP = "7f00-7f01 r-xp 00000000 fe:00 2   /x/libiomp5.so\n"
BURN = """
import ctypes, hashlib, threading, time
end = time.monotonic() + 2.5
def burn():
    while time.monotonic() < end:
        hashlib.sha256(bytes(4000000)).digest()
def name(text):
    ctypes.CDLL(None).prctl(15, text, 0, 0, 0)
def work():
    name(b"burner")
    burn()
threads = [threading.Thread(target=work), threading.Thread(target=time.sleep, args=(2.5,))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def read(folder: Records) -> dict[str, Fact]:
    """Return the facts of threads by name."""
    return {fact.name: fact for fact in threading_facts.facts(folder.folder())}


def values(folder: Records) -> dict[str, Any]:
    """Return their values by name."""
    return {name: fact.value for name, fact in read(folder).items()}


def thread(number: int, seconds: float, **keys: object) -> dict[str, object]:
    """Return one thread of a sample."""
    return {"id": number, "user_seconds": seconds, "system_seconds": 0.5, **keys}


def told(at: str, variables: dict[str, str] | None = None, **keys: object) -> dict[str, object]:
    """Return a line of inside.jsonl about what steers threads."""
    row = {"event": "environment", "pid": 77, "at": at, "variables": variables or {}, "threads": 4}
    return {**row, "interop_threads": 2, "python_stack_bytes": 0, "native_threads": 2, "python_threads": 1, **keys}


class TestCpu:
    """CPU time per thread."""

    def test_busy_threads_used_more_than_a_tenth_of_a_core(self, tmp_path: Path) -> None:
        """Over the trial, by the last sample that each was in, also those that ended before the others."""
        rows = [
            {"t": 11.0, "count": 2, "threads": [thread(1, 0.1), thread(2, 1.4, name="pool")]},
            {"t": 20.0, "count": 2, "threads": [thread(1, 5.0, name="main"), thread(3, 0.4)]},
        ]
        found = read(Records(tmp_path).exit().lines(THREADS, rows))
        assert (found["busy_threads"].value, [it.line for it in found["busy_threads"].sources]) == (2, [2, 1])
        assert found["thread_cpu_seconds"].value == [
            {"id": 1, "name": "main", "seconds": 5.5},
            {"id": 2, "name": "pool", "seconds": 1.9},
            {"id": 3, "name": None, "seconds": 0.9},
        ]

    def test_the_eight_busiest_are_listed(self, tmp_path: Path) -> None:
        """No more, the busiest first."""
        rows = [{"t": 12.0, "threads": [thread(number, float(number)) for number in range(1, 13)]}]
        found = values(Records(tmp_path).exit().lines(THREADS, rows))
        assert [row["id"] for row in found["thread_cpu_seconds"]] == [12, 11, 10, 9, 8, 7, 6, 5]
        assert found["busy_threads"] == 12

    def test_without_samples_nothing_is_known(self, tmp_path: Path) -> None:
        """A row without threads, as after the end, is no sample."""
        assert "busy_threads" not in values(Records(tmp_path).lines(THREADS, [{"t": 1, "ended": True}]))

    @LINUX
    def test_of_a_real_program(self, tmp_path: Path) -> None:
        """A named thread that works is busy, one that sleeps is not."""
        (tmp_path / "target.py").write_text(BURN)
        observed = observe(tmp_path, tmp_path / "target.py")
        (most, *_) = observed.trial.value("thread_cpu_seconds")
        assert (observed.trial.value("busy_threads"), most["name"]) == (1, "burner")
        assert 0.5 < most["seconds"] < 4
        assert '"burner"' in observed.cited("busy_threads")


class TestStacks:
    """Sizes of stacks."""

    @pytest.mark.parametrize(("limit", "threads"), [(8 << 20, 8 << 20), (-1, 2 << 20), (64 << 20, 64 << 20)])
    def test_the_limit_is_the_child_s_own(self, tmp_path: Path, limit: int, threads: int) -> None:
        """The child's limit comes before that of the supervisor; threads of a child without limit get 2 MiB."""
        rows = [{"t": 1, "threads": [thread(1, 1)], "stack_limit_bytes": limit}]
        folder = Records(tmp_path).exit().environment(rlimits={"RLIMIT_STACK": [1, 1]}).lines(THREADS, rows)
        found = read(folder)
        assert (found["stack_bytes_main"].value, found["stack_bytes_threads"].value) == (limit, threads)
        assert found["stack_bytes_main"].sources[0].file == f"trials/{ID}/threads.jsonl"

    def test_the_supervisor_s_limit_else(self, tmp_path: Path) -> None:
        """A child inherits it."""
        found = read(Records(tmp_path).exit().environment(rlimits={"RLIMIT_STACK": [8 << 20, -1]}))
        assert found["stack_bytes_main"].value == 8 << 20
        assert found["stack_bytes_main"].sources[0].file == f"trials/{ID}/environment.json"
        assert "stack_bytes_main" not in values(Records(tmp_path / "b").environment(rlimits={}))

    def test_python_s_own_size(self, tmp_path: Path) -> None:
        """Only where the program set one."""
        folder = Records(tmp_path).lines(INSIDE, [told("import"), told("first forward", python_stack_bytes=65536)])
        assert values(folder)["stack_bytes_python_threads"] == 65536
        assert "stack_bytes_python_threads" not in values(Records(tmp_path / "b").lines(INSIDE, [told("import")]))

    @pytest.mark.parametrize(
        ("maps", "variables", "size"),
        [
            (GOMP, {"OMP_STACKSIZE": "512"}, 512 << 10),
            (GOMP, {"OMP_STACKSIZE": " 2 M "}, 2 << 20),
            (GOMP, {"OMP_STACKSIZE": "16MB"}, 16 << 20),
            (GOMP, {"OMP_STACKSIZE": "4096b"}, 4096),
            (GOMP, {"OMP_STACKSIZE": "much", "GOMP_STACKSIZE": "100"}, 100 << 10),
            (GOMP, {"KMP_STACKSIZE": "4m"}, None),
            (IOMP, {"KMP_STACKSIZE": "4m", "OMP_STACKSIZE": "1m"}, 4 << 20),
            (IOMP, {"KMP_STACKSIZE": "65536"}, 65536),
            (IOMP, {"OMP_STACKSIZE": "1g", "GOMP_STACKSIZE": "1m"}, 1 << 20),
            (GOMP, {}, None),
        ],
    )
    def test_openmp_s_own_size(self, tmp_path: Path, maps: str, variables: dict[str, str], size: int | None) -> None:
        """By the loaded runtime's own order and units."""
        folder = Records(tmp_path).text(MAPS, maps).lines(INSIDE, [told("first forward", variables)])
        assert values(folder).get("openmp_stacksize") == size


class TestTorch:
    """Torch's own counts."""

    def test_the_later_count_holds(self, tmp_path: Path) -> None:
        """The program may change it after the import."""
        torch = {"event": "torch", "version": "2.4", "threads": 8, "interop_threads": 3}
        rows = [torch, told("import", threads=8), told("first forward", threads=1)]
        found = read(Records(tmp_path).lines(INSIDE, rows))
        assert (found["torch_threads"].value, found["torch_threads"].sources[0].line) == (1, 3)
        assert found["torch_interop_threads"].value == 2

    def test_records_without_a_forward_have_the_first_count(self, tmp_path: Path) -> None:
        """What was told at the import is all that is known."""
        row = {"event": "torch", "version": "2.4", "threads": 8, "interop_threads": 3}
        found = values(Records(tmp_path).lines(INSIDE, [row]))
        assert (found["torch_threads"], found["torch_interop_threads"]) == (8, 3)


class TestVariables:
    """Environment variables."""

    def test_changes_since_the_start(self, tmp_path: Path) -> None:
        """Set, changed and taken away, with when it was first seen; what does not steer threads is not compared."""
        start = {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "LD_PRELOAD": "x", "PYTHONPATH": "p"}
        first = {"OMP_NUM_THREADS": "2", "KMP_DUPLICATE_LIB_OK": "True", "LD_PRELOAD": "x", "TBB_X": "gone again"}
        later = {"OMP_NUM_THREADS": "1", "KMP_DUPLICATE_LIB_OK": "True", "LD_PRELOAD": "x"}
        folder = Records(tmp_path).environment(variables=start)
        found = read(folder.lines(INSIDE, [told("import", first), told("first forward", later)]))
        assert (found["thread_variables"].value, found["thread_variables"].sources[0].line) == (later, 2)
        changed = found["thread_variables_changed"]
        assert changed.value == {
            "KMP_DUPLICATE_LIB_OK": {"before": None, "after": "True", "at": "import"},
            "MKL_NUM_THREADS": {"before": "2", "after": None, "at": "import"},
            "OMP_NUM_THREADS": {"before": "2", "after": "1", "at": "first forward"},
        }
        assert [source.file.rpartition("/")[2] for source in changed.sources] == [INSIDE, ENVIRONMENT]

    def test_without_torch_nothing_is_told(self, tmp_path: Path) -> None:
        """No event, no facts."""
        assert "thread_variables" not in values(Records(tmp_path).lines(INSIDE, [{"event": "start"}]))


class TestForks:
    """Forks after a pool had started."""

    def fork(self, native: int | None, python: int = 1, pid: int = 77, **keys: int) -> dict[str, object]:
        """Return a line of inside.jsonl about a fork."""
        return {"event": "fork", "pid": pid, "torch": True, "native_threads": native, "python_threads": python, **keys}

    def test_only_more_native_threads_than_at_import_count(self, tmp_path: Path) -> None:
        """Python's own threads and the pool of numpy's BLAS are no sign; the first such fork is the source."""
        rows = [told("import"), self.fork(2), self.fork(6, 5), self.fork(5), self.fork(5), self.fork(9, pid=5)]
        found = read(Records(tmp_path).exit().lines(INSIDE, rows))["fork_after_threads"]
        assert (found.value, [source.line for source in found.sources]) == (2, [4])

    @pytest.mark.parametrize(
        ("native", "waiting", "running", "count"), [(2, 1, 0, 1), (9, 0, 0, 0), (9, 0, 1, 1), (2, 0, 1, 0)]
    )
    def test_a_thread_that_waits_in_libgomp_tells(
        self, tmp_path: Path, native: int, waiting: int, running: int, count: int
    ) -> None:
        """It is the pool, whatever the counts; without one, more threads matter only while some may still spin."""
        rows = [told("import"), self.fork(native, gomp_waiting=waiting, running=running)]
        assert values(Records(tmp_path).exit().lines(INSIDE, rows))["fork_after_threads"] == count

    def test_none_is_a_fact(self, tmp_path: Path) -> None:
        """No fork at all, or none after threads; its source is where it would stand."""
        found = read(Records(tmp_path).exit().lines(INSIDE, [{"event": "start", "pid": 77}]))["fork_after_threads"]
        assert (found.value, found.sources[0].line) == (0, 1)
        rows = [told("import"), self.fork(2)]
        found = read(Records(tmp_path / "b").exit().lines(INSIDE, rows))["fork_after_threads"]
        assert (found.value, found.sources[0].line) == (0, 2)

    def test_not_known_without_proc(self, tmp_path: Path) -> None:
        """A count that could not be taken is no zero; neither is a process that wrote nothing."""
        assert "fork_after_threads" not in values(Records(tmp_path).lines(INSIDE, [self.fork(None)]))
        assert "fork_after_threads" not in values(Records(tmp_path / "b"))


class TestLimits:
    """How many threads there could have been."""

    ROOM = {"machine_threads": 300, "machine_threads_max": 1000}
    GROUP = {"pids_max": 20, "pids_current": 13, "pids_group": "/sys/a", "pids_refused": 2}

    @pytest.mark.parametrize(
        ("sample", "name", "limit", "left"),
        [
            ({}, "the machine's kernel.threads-max or kernel.pid_max", 1000, 700),
            (GROUP, "control group, /sys/a/pids.max", 20, 7),
            ({"nproc_limit": 96, "user_threads": 90}, "RLIMIT_NPROC", 96, 6),
            ({**GROUP, "nproc_limit": 96, "user_threads": 90}, "RLIMIT_NPROC", 96, 6),
        ],
    )
    def test_the_tightest_is_told(
        self, tmp_path: Path, sample: dict[str, Any], name: str, limit: int, left: int
    ) -> None:
        """The one with the least room, at the sample where there was least."""
        rows = [{"t": 1, **self.ROOM, "machine_threads": 100}, {"t": 2, **self.ROOM, **sample}]
        found = thread_limits.tightest(Records(tmp_path).lines(THREADS, rows).folder())
        assert found is not None and found[0] == found[1]
        assert (found[0].name, found[0].total, found[0].left) == (name, limit, left)
        assert found[0].sources[0].line == 2

    def test_the_last_use_is_told_beside_the_highest(self, tmp_path: Path) -> None:
        """Threads may have ended by the time of a death."""
        rows = [{"t": 1, **self.GROUP}, {"t": 2, **self.GROUP, "pids_current": 19}, {"t": 3, **self.GROUP}]
        (fact,) = limit_use.facts(Records(tmp_path).lines(THREADS, rows).folder())
        assert (fact.value["used"], fact.value["last_used"], fact.value["limit"]) == (19, 13, 20)
        assert [source.line for source in fact.sources] == [2, 3]

    def test_refusals_are_counted_since_the_first_sample(self, tmp_path: Path) -> None:
        """Within one group; what it had refused before is not this trial's."""
        rows = [{"t": 1, **self.GROUP, "pids_group": "/sys/b", "pids_refused": 90}, {"t": 2, **self.GROUP}]
        rows += [{"t": 3, "ended": True, **self.GROUP, "pids_current": 20, "pids_refused": 5}]
        (refused,) = thread_limits.facts(Records(tmp_path).lines(THREADS, rows).folder())
        assert (refused.value, [source.line for source in refused.sources]) == (3, [2, 3])

    def test_no_limit_is_no_fact(self, tmp_path: Path) -> None:
        """Older records have none."""
        folder = Records(tmp_path).lines(THREADS, [{"t": 1}]).folder()
        assert (thread_limits.facts(folder), thread_limits.tightest(folder)) == ([], None)
