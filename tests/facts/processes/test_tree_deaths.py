"""The first death of the tree, by whatever means: tools, workers, executors, an exec. Real processes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from observing import Observed, observe

from harness.decide import judged
from harness.decide.hypotheses import Case, deliberate_exit, external_kill, native_fault, python_exception

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ends are seen by process descriptors, on Linux")
POOL = """
import ctypes, multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
def work(number):
    if number == 3:
        {fault}
    return number
if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("{method}")) as pool:
        print(list(pool.map(work, range(8))))
"""
WORKER = """
import multiprocessing, sys
def work():
    {fault}
if __name__ == "__main__":
    worker = multiprocessing.get_context("{method}").Process(target=work)
    worker.start()
    worker.join()
    assert worker.exitcode == 0, "the worker is gone"
"""


def run(folder: Path, text: str) -> Observed:
    """Observe a script of this text."""
    (folder / "script.py").write_text(text)
    return observe(folder, folder / "script.py")


def case(observed: Observed) -> Case:
    """Return the case of this one trial."""
    return Case((observed.trial,), {})


class TestTools:
    """Programs that are not Python."""

    def test_that_is_killed_is_the_first_death(self, tmp_path: Path) -> None:
        """Its status comes from the parent's wait; the exception is the messenger, and it is no main process' kill."""
        observed = run(tmp_path, "import subprocess\nsubprocess.run(['sh', '-c', 'kill -KILL $$'], check=True)\n")
        death = judged.of(observed.trial)
        assert (death.is_tool, death.signal, death.is_observed) == (True, "SIGKILL", False)
        assert "sh -c kill -KILL $$" in observed.trial.value("first_death")["command"]
        assert "inside probes" in [gap.probe for gap in observed.trial.gaps]
        finding = python_exception.judge(case(observed))
        assert finding.status == "supported" and "died first: SIGKILL" in finding.reasons[0].text
        assert observed.cited("worker_death").startswith("{")

    def test_that_fails_is_the_first_death(self, tmp_path: Path) -> None:
        """An exit code that the exception reports."""
        observed = run(tmp_path, "import subprocess\nsubprocess.run(['sh', '-c', 'exit 3'], check=True)\n")
        assert judged.of(observed.trial).code == 3
        assert python_exception.judge(case(observed)).status == "supported"
        assert not deliberate_exit.predicts(observed.trial)

    def test_whose_failure_was_expected_is_nothing(self, tmp_path: Path) -> None:
        """`grep` finds nothing; the program goes on, and dies later of something else."""
        text = "import subprocess, time\nsubprocess.run(['sh', '-c', 'exit 1'])\ntime.sleep(1)\nraise KeyError('x')\n"
        observed = run(tmp_path, text)
        assert judged.of(observed.trial).is_observed
        assert observed.trial.value("worker_death") is None
        assert python_exception.judge(case(observed)).status == "established"

    def test_before_a_fault_of_the_program_s_own_is_nothing(self, tmp_path: Path) -> None:
        """No other process' end makes an instruction fault."""
        text = "import ctypes, subprocess\nsubprocess.run(['sh', '-c', 'kill -9 $$'])\nctypes.string_at(0)\n"
        observed = run(tmp_path, text)
        assert judged.of(observed.trial).signal == "SIGSEGV" and judged.of(observed.trial).is_observed


class TestWorkers:
    """Processes of multiprocessing and of executors."""

    @pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
    def test_own_exception_is_the_cause(self, tmp_path: Path, method: str) -> None:
        """It is quoted, and not the parent's."""
        observed = run(tmp_path, WORKER.format(method=method, fault='raise ValueError("sample 7")'))
        assert judged.of(observed.trial).error is not None
        finding = python_exception.judge(case(observed))
        assert finding.status == "established"
        assert "ValueError: sample 7" in finding.reasons[0].text

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_exit_is_the_worker_s(self, tmp_path: Path, method: str) -> None:
        """A line of the program's own asked for it."""
        observed = run(tmp_path, WORKER.format(method=method, fault="sys.exit(4)"))
        assert judged.of(observed.trial).code == 4
        finding = deliberate_exit.judge(case(observed))
        assert finding.status == "established" and f"{tmp_path / 'script.py'}:4" in finding.reasons[0].text

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_native_exit_in_a_pool_is_recorded(self, tmp_path: Path, method: str) -> None:
        """The probe of C exit survives the fork."""
        observed = run(tmp_path, POOL.format(method=method, fault="ctypes.CDLL(None).exit(1)"))
        (row,) = observed.rows("native_exit.jsonl")
        assert row["pid"] == judged.of(observed.trial).pid != observed.exit["pid"]
        assert deliberate_exit.judge(case(observed)).status == "established"
        assert python_exception.judge(case(observed)).status != "established"

    @pytest.mark.parametrize("fault", ["ctypes.string_at(0)", "os.abort()"])
    def test_fault_in_a_pool_is_no_kill(self, tmp_path: Path, fault: str) -> None:
        """The executor's SIGTERM to the other workers speaks of no death but theirs."""
        observed = run(tmp_path, POOL.format(method="fork", fault=fault))
        assert judged.of(observed.trial).signal in ("SIGSEGV", "SIGABRT")
        assert not external_kill.predicts(observed.trial)
        assert native_fault.predicts(observed.trial) is (fault != "os.abort()")
        assert observed.trial.value("crash_stack") or fault == "os.abort()"


class TestExec:
    """A program that gives its process to another one."""

    @pytest.mark.parametrize("call", ["os.execv(sys.executable, [sys.executable] + sys.argv)",
                                      "os.execl(sys.executable, 'python', *sys.argv)",
                                      "os.execvpe('python', ['python', *sys.argv], "
                                      "{**os.environ, 'PATH': os.path.dirname(sys.executable)})"])  # fmt: skip
    def test_of_itself_that_finishes_is_healthy(self, tmp_path: Path, call: str) -> None:
        """It is observed as the same process."""
        head = "import os, sys\nif os.environ.get('AGAIN') != '1':\n    os.environ['AGAIN'] = '1'\n"
        observed = run(tmp_path, f"{head}    {call}\nprint('done')\n")
        assert (observed.trial.outcome, observed.exit["code"]) == ("completed", 0)
        assert observed.calls() == ["os.exec", "end of main", "atexit"]

    def test_of_itself_is_held_at_its_fault(self, tmp_path: Path) -> None:
        """The crash handlers are in place again."""
        head = "import os, sys\nif os.environ.get('AGAIN') != '1':\n    os.environ['AGAIN'] = '1'\n"
        call = "    os.execv(sys.executable, [sys.executable] + sys.argv)\nimport ctypes; ctypes.string_at(0)\n"
        observed = run(tmp_path, head + call)
        assert observed.trial.exit.signal == "SIGSEGV"
        assert observed.trial.fact("native_stacks") is not None

    @pytest.mark.skipif(shutil.which("true") is None, reason="there is no `true`")
    def test_of_another_program_that_ends_well_is_completed(self, tmp_path: Path) -> None:
        """Of which only the code is known: a gap says so."""
        observed = run(tmp_path, "import os, shutil\nos.execv(shutil.which('true'), ['true'])\n")
        assert observed.trial.outcome == "completed"
        assert "another program took the process over" in " ".join(gap.reason for gap in observed.trial.gaps)
