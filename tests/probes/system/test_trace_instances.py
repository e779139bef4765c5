"""Trace instances of our own: made, read, removed, whatever happens; and what is said where none may be made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from observing import ROOT, observe, victim, wait_for

from harness.launch import doctor, trial
from harness.plan import plan_file as plan
from probes.outside.system import counter, instance, quiet, rows, tracefs, tree
from probes.outside.system.instance import Instance
from probes.outside.system.refusals import RefusalsProbe
from probes.outside.system.rows import Row
from probes.outside.system.signals import SignalsProbe, condition

TRACED = pytest.mark.skipif(bool(RefusalsProbe.missing()), reason=f"no tracing here: {RefusalsProbe.missing()}")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
NOBODY = 65534


def ours() -> list[str]:
    """Return the instances of this process that are there."""
    root = tracefs.root()
    names = quiet.names_in(root / "instances") if root else []
    return [name for name in names if name.startswith(f"{instance.PREFIX}{os.getpid()}-")]


@pytest.fixture
def opened() -> Iterator[Instance]:
    """Give an instance, and close it."""
    with ExitStack() as stack:
        made = Instance("test")
        stack.callback(made.close)
        yield made


@TRACED
class TestInstance:
    """One instance on the real kernel."""

    @pytest.fixture(autouse=True)
    def plain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have refusals seen by a trace as well, as where the kernel runs no program of ours."""
        monkeypatch.setattr(counter, "_number_at", lambda: None)

    def test_is_gone_after_a_trial(self, tmp_path: Path) -> None:
        """Both probes' own."""
        observe(tmp_path, victim("healthy"))
        wait_for(lambda: ours() == [])

    def test_is_gone_after_an_interrupted_trial(self, tmp_path: Path) -> None:
        """An error that goes through the trial closes the probes on its way."""
        read = plan.parse({"target": {"command": [str(victim("hang_sleep"))]}}, tmp_path / "plan.yaml")
        seen: list[list[str]] = []

        def interrupt(_: object) -> bool:
            seen.append(ours())
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            trial.run(trial.Request("as-is/1", tmp_path / "t", read.baseline, read), interrupt)
        assert len(seen[0]) == 2
        wait_for(lambda: ours() == [])

    def test_that_a_dead_supervisor_left_is_removed(self) -> None:
        """By the next one; that of a process that lives is left alone."""
        root = tracefs.root()
        assert root is not None
        dead = subprocess.Popen([sys.executable, "-c", "pass"])
        dead.wait()
        stale, alive = (root / "instances" / f"inquest-{pid}-test-1" for pid in (dead.pid, os.getpid()))
        with ExitStack() as stack:
            for path in (stale, alive):
                assert quiet.make_directory(path) == 0
            stack.callback(quiet.remove_directory, alive)
            instance.remove_stale()
            wait_for(lambda: not stale.exists())
            assert alive.exists()

    def test_times_are_on_our_clock(self, opened: Instance) -> None:
        """Within some milliseconds, whatever clock the kernel's trace has."""
        opened.enable("signal/signal_generate", condition())
        with ExitStack() as stack:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            stack.callback(child.wait)
            before = time.perf_counter()
            child.kill()
            after = time.perf_counter()
        found = [row for row in opened.drain() if f"pid={child.pid} " in row.text]
        assert len(found) == 1 and before - 0.005 <= found[0].t <= after + 0.005
        assert opened.error is None

    def test_what_the_kernel_refuses_is_told_not_raised(self, opened: Instance) -> None:
        """An invalid filter; afterwards there is nothing to read, and closing works."""
        opened.enable("signal/signal_generate", "no_such_field == 1")
        assert opened.error == "events/signal/signal_generate/filter: Invalid argument"
        assert opened.read(time.perf_counter()) == []


@LINUX
class TestMissing:
    """What is said where it is not permitted."""

    @pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can be somebody else")
    @pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv(1) is not installed")
    def test_another_user_is_told_the_command(self) -> None:
        """The exact command, for that very user."""
        code = "from probes.outside import PROBES; print([kind.missing() for kind in PROBES[:2]])"
        become = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        found = subprocess.run(
            [*become, sys.executable, "-c", code], capture_output=True, text=True, cwd="/",
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        if "Permission denied" in found.stderr or "No module" in found.stderr:
            pytest.skip("another user may not read this checkout")
        assert found.stdout.count(f"may not be used by user {NOBODY}; to permit it: sudo sh -c") == 2
        assert f"chown {NOBODY} /sys/kernel/tracing/instances" in found.stdout

    def test_doctor_names_both(self) -> None:
        """They are probes like the others."""
        found = {source.name: source for source in doctor.examine()}
        assert found["refusals"].available == (RefusalsProbe.missing() is None)
        assert found["signals"].available == (SignalsProbe.missing() is None)

    def test_a_container_with_numbers_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The trace's numbers are the host's: nothing is matched by chance."""
        monkeypatch.setattr(quiet, "link_target", lambda _: "pid:[4026532999]")
        assert "process numbers of its own" in str(RefusalsProbe.missing())

    def test_a_kernel_without_the_tracepoint(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """It is named."""
        monkeypatch.setattr(tracefs, "root", lambda: tmp_path)
        monkeypatch.setattr(quiet, "link_target", lambda _: tracefs.FIRST_NAMESPACE)
        assert tracefs.missing("oom/mark_victim") == "this kernel has no tracepoint oom/mark_victim"


class TestRows:
    """Lines of a trace."""

    @pytest.mark.parametrize("comm", ["python", "a-b", "my tool-7", "<...>", "kworker/0:1-ev"])
    def test_names_may_hold_anything(self, comm: str) -> None:
        """Spaces and dashes."""
        line = f"{comm:>16}-4711    [001] d..1. 12345.678901: sys_exit: NR 1 = -28"
        assert rows.parse(line) == Row(comm, 4711, 12345.678901, "sys_exit", "NR 1 = -28")

    @pytest.mark.parametrize("line", ["", "# tracer: nop", "CPU:1 [LOST 17 EVENTS]"])
    def test_other_lines_are_none(self, line: str) -> None:
        """And what was lost is counted."""
        assert rows.parse(line) is None
        assert rows.lost(line) == (17 if "LOST" in line else 0)


@LINUX
class TestTree:
    """Membership by births alone."""

    def births(self, *rows_: tuple[int, int, int]) -> tree.Tree:
        """Return a tree of this process after these births: (who, born, flags)."""
        found = tree.Tree(os.getpid())
        for who, born, flags in rows_:
            found.take(Row("x", who, 1.0, "task_newtask", f"pid={born} comm=a b clone_flags={flags:x} oom_score_adj=0"))
        return found

    def test_threads_and_processes_of_children(self) -> None:
        """A child's thread is the child's; a thread's child is a process of its own."""
        own, thread = os.getpid(), tree.CLONE_THREAD
        found = self.births((own, 9_000_001, 0), (9_000_001, 9_000_002, thread), (9_000_002, 9_000_003, 17))
        assert [found.process_of(pid) for pid in (own, 9_000_001, 9_000_002, 9_000_003)] == [
            own, 9_000_001, 9_000_001, 9_000_003,
        ]  # fmt: skip

    def test_strangers_are_none_and_have_parents(self) -> None:
        """A number of ours that a stranger is given later is no longer ours."""
        found = self.births((os.getpid(), 9_000_001, 0), (9_100_000, 9_000_001, 0), (9_100_000, 9_100_001, 0))
        assert found.process_of(9_000_001) is None
        assert found.parent_of(9_100_001) == 9_100_000

    def test_what_is_there_already(self) -> None:
        """Children, and their threads."""
        code = (
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=(20,), daemon=True).start()\ntime.sleep(20)"
        )
        with ExitStack() as stack:
            child = subprocess.Popen([sys.executable, "-c", code])
            stack.callback(child.wait)
            stack.callback(child.kill)
            wait_for(lambda: psutil.Process(child.pid).num_threads() == 2)
            found = tree.Tree(os.getpid())
            mine = [thread for thread in found.threads if found.process_of(thread) == child.pid]
        assert len(mine) == 2
