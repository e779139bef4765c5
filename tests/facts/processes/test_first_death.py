"""Several processes of one trial: who died first, and who merely followed. Real processes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from observing import Observed, observe, victim

from harness.facts import reading as facts
from probes import records

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ends are seen by process descriptors, on Linux")
CHILD = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {code!r}])
{then}
"""
KILL = "import os, signal, time; time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)"
SLEEP = "import time; time.sleep(60)"


def run(folder: Path, text: str, **keys: Any) -> Observed:
    """Observe a script of this text."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "script.py").write_text(text)
    return observe(folder, folder / "script.py", **keys)


def first(observed: Observed) -> dict[str, Any]:
    """Return the fact of the first death."""
    value: dict[str, Any] = observed.trial.value("first_death")
    assert value is not None, observed.trial.facts
    return value


class TestSubprocess:
    """A Python program that starts another one."""

    def test_that_dies_is_the_first(self, tmp_path: Path) -> None:
        """The main process only follows, with an exception; every claim has its record."""
        observed = run(tmp_path, CHILD.format(code=KILL, then="sys.exit('gone: %d' % child.wait())"))
        told = first(observed)
        pid = observed.exit["pid"]
        assert (told["how"], told["parent"], told["started_by"], told["sent_by"]) == (
            "SIGKILL", pid, "subprocess", told["pid"],
        )  # fmt: skip
        assert [(row["pid"], row["how"]) for row in told["followed_by"]] == [(pid, "exit code 1")]
        assert 0 <= told["followed_by"][0]["after_seconds"] < 5
        fact = observed.trial.fact("first_death")
        assert fact is not None
        files = [source.file.rpartition("/")[2] for source in fact.sources]
        assert files in ([records.PROCESS, status, records.EXITS] for status in (records.ENDS, records.CHILDREN))
        assert all((observed.root / source.file).is_file() for source in fact.sources)

    def test_main_that_dies_first_is_the_first(self, tmp_path: Path) -> None:
        """The child that the harness sweeps afterwards has not died of anything."""
        observed = run(tmp_path, CHILD.format(code=SLEEP, then="time.sleep(1); os.abort()"))
        told = first(observed)
        assert (told["pid"], told["how"], told["started_by"]) == (
            observed.exit["pid"],
            "SIGABRT",
            "the observed process",
        )
        assert told["followed_by"] == []

    def test_that_is_ended_on_purpose_is_no_death(self, tmp_path: Path) -> None:
        """A parent that stops its child by a signal, and ends well."""
        observed = run(tmp_path, CHILD.format(code=SLEEP, then="time.sleep(1); child.terminate(); child.wait()"))
        assert observed.trial.outcome == "completed"
        assert observed.trial.value("first_death") is None
        assert observed.trial.value("processes") == {"observed": 1, "subprocess": 1}

    def test_that_ends_well_is_no_death(self, tmp_path: Path) -> None:
        """Nor is its status unseen: no gap."""
        observed = run(tmp_path, CHILD.format(code="pass", then="child.wait()"))
        assert observed.trial.value("first_death") is None
        assert [gap for gap in observed.trial.gaps if gap.probe == "process ends"] == []

    def test_status_that_the_parent_reaped_at_once_is_known(self, tmp_path: Path) -> None:
        """Many short ones, each waited for: what the parent was given is recorded, so every status is known."""
        text = CHILD.format(code="import sys; sys.exit(3)", then="child.wait()\n" + "\n".join(
            "subprocess.run([sys.executable, '-c', 'import sys; sys.exit(3)'])" for _ in range(7)
        ))  # fmt: skip
        observed = run(tmp_path, text)
        assert observed.trial.value("processes")["subprocess"] == 8
        assert [gap for gap in observed.trial.gaps if gap.probe == "process ends"] == []
        assert first(observed)["how"] == "exit code 3"
        assert len(first(observed)["followed_by"]) == 7

    def test_without_a_child_there_is_no_such_fact(self, tmp_path: Path) -> None:
        """A single process needs no order."""
        assert observe(tmp_path, victim("segv")).trial.value("first_death") is None


class TestFork:
    """Forked and spawned workers without torch."""

    @pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
    def test_worker_that_dies_is_the_first(self, tmp_path: Path, method: str) -> None:
        """Its end is seen whoever is its parent, and the main process follows."""
        observed = run(tmp_path, f"""
import multiprocessing, os, signal, sys
def work():
    os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    worker = multiprocessing.get_context({method!r}).Process(target=work)
    worker.start()
    worker.join(30)
    raise RuntimeError(f"worker ended: {{worker.exitcode}}")
""")  # fmt: skip
        told = first(observed)
        assert told["how"] == "SIGKILL"
        assert told["started_by"] == ("spawn" if method == "spawn" else "fork")
        assert [row["how"] for row in told["followed_by"]][-1] == "exit code 1, RuntimeError: worker ended: -9"

    def test_pool_that_is_closed_is_no_death(self, tmp_path: Path) -> None:
        """Its workers are ended by SIGTERM, which their parent sends."""
        observed = run(tmp_path, """
import multiprocessing
def work(number):
    return number * number
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(work, range(4)))
""")  # fmt: skip
        assert observed.trial.outcome == "completed"
        assert observed.trial.value("first_death") is None

    def test_survival_needs_every_process(self, tmp_path: Path) -> None:
        """Where a child has died, a trial has not survived, however long the main process waits."""
        text = CHILD.format(code=KILL, then="time.sleep(60)")
        observed = run(tmp_path, text, survive="2 seconds", limits={"no_progress_seconds": 4})
        assert (observed.exit["limit"], observed.trial.outcome) == ("no progress", "hung")
        assert first(observed)["how"] == "SIGKILL"
        assert first(observed)["followed_by"] == []


def test_pure_order_needs_no_supervisor_s_clock(tmp_path: Path) -> None:
    """A death by a signal from outside, noticed a little late, still comes before the error that it brought about."""
    folder = tmp_path / "trials" / "as-is" / "1"
    (folder / records.PROCESSES / "7").mkdir(parents=True)
    records.write_json(folder / records.PROCESSES / "7" / records.PROCESS, {"pid": 7, "parent": 5, "how": "fork"})
    records.write_json(folder / records.EXIT, {
        "pid": 5, "code": 1, "signal": None, "ended_by": "itself", "started_monotonic": 0.0, "seconds": 9.0,
        "left_behind": [],
    })  # fmt: skip
    error = {"t": 4.99, "pid": 5, "is_main": True, "type": "RuntimeError", "message": "a worker is gone"}
    records.append(folder / records.PYTHON_ERROR, error)
    for pid, t, code, number in ((7, 5.0, None, 9), (5, 6.0, 1, None)):
        row = {"t": t, "pid": pid, "event": "ended", "code": code, "signal": number, "seen": True}
        records.append(folder / records.ENDS, row)
    told = first(Observed(tmp_path, facts.read(tmp_path, "as-is/1")))
    assert (told["pid"], told["how"], told["when_seconds"]) == (7, "SIGKILL", 5.0)
    assert [(row["pid"], row["after_seconds"]) for row in told["followed_by"]] == [(5, 0.0)]


@pytest.mark.torch
class TestTorch:
    """Workers of a DataLoader, and the ranks of torchrun."""

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    @pytest.mark.parametrize(("fault", "how"), [("kill", "SIGKILL"), ("segv", "SIGSEGV")])
    def test_worker_of_a_loader(self, tmp_path: Path, method: str, fault: str, how: str) -> None:
        """The worker is the first; the main process follows with the DataLoader's exception."""
        observed = observe(tmp_path, victim("loader_worker"), method, fault)
        told = first(observed)
        assert (told["how"], told["started_by"], told["parent"]) == (how, method, observed.exit["pid"])
        followed = told["followed_by"][-1]
        assert followed["pid"] == observed.exit["pid"]
        assert followed["how"].startswith("exit code 1")  # with one of three errors, by what it notices first
        assert observed.trial.value("steps_done") >= 1

    def test_loader_that_ends_well_names_nobody(self, tmp_path: Path) -> None:
        """Workers come and go."""
        observed = observe(tmp_path, victim("loader_worker"), "fork", "none")
        assert (observed.trial.outcome, observed.trial.value("first_death")) == ("completed", None)

    @pytest.mark.parametrize(
        ("fault", "how"),
        [("kill", "SIGKILL"), ("segv", "SIGSEGV"), ("raise", "exit code 1, ValueError: a sample is bad")],
    )
    def test_rank_of_torchrun(self, tmp_path: Path, fault: str, how: str) -> None:
        """Rank 1 is the first; rank 0 is ended because of it, and the launcher says so at last."""
        words = ("--nproc-per-node", 2, "--master-port", 29700 + len(fault), victim("ranks"), 20, fault)
        observed = observe(tmp_path, "torchrun", *words, limits={"wall_seconds": 60})
        told = first(observed)
        pid = observed.exit["pid"]
        assert (told["how"], told["rank"], told["parent"]) == (how, "1", pid)
        assert [row["pid"] == pid for row in told["followed_by"]] == [False, True]
        assert "ChildFailedError" in told["followed_by"][1]["how"]
        assert observed.trial.value("steps_done") == 3
        if fault != "raise":
            assert told["last_event"] == "Siamese, call 1 of step 4" or "step 4" in told["last_event"]
            assert str(observed.trial.last_event) == told["last_event"]
        if fault == "segv":
            assert (observed.folder / "native" / str(told["pid"]) / records.FAULT).is_file()

    def test_ranks_that_end_well(self, tmp_path: Path) -> None:
        """Steps and forwards are those of a rank; what a rank must do at least is asked of it."""
        words = ("--nproc-per-node", 2, "--master-port", 29711, victim("ranks"), 5, "none")
        observed = observe(tmp_path, "torchrun", *words, expect={"steps": 5})
        assert (observed.trial.outcome, observed.trial.value("steps_done")) == ("completed", 5)
        assert observed.trial.value("processes") == {"observed": 2, "subprocess": 2}
        assert ("module.backbone", 2) in [(timing.module, timing.call) for timing in observed.trial.forwards]

    def test_ranks_survive(self, tmp_path: Path) -> None:
        """Forwards are counted in the ranks."""
        words = ("--nproc-per-node", 2, "--master-port", 29712, victim("ranks"), 1000, "none")
        observed = observe(tmp_path, "torchrun", *words, survive="6 forwards")
        assert (observed.trial.outcome, observed.exit["limit"]) == ("stopped", "survived")
        assert observed.trial.value("first_death") is None
