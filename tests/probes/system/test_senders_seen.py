"""Who sent a signal, by the kernel's own trace, on real processes; and by siginfo where there is no trace."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from observing import Observed, observe, victim

from harness.decide import judged
from harness.decide.hypotheses import native_fault
from harness.facts import reading as facts
from harness.launch import closing, trial
from harness.launch.memory_limit import parents
from harness.plan import plan_file as plan
from probes import records
from probes.outside import PROBES
from probes.outside.system.refusals import RefusalsProbe
from probes.outside.system.signals import SignalsProbe

TRACED = pytest.mark.skipif(bool(SignalsProbe.missing()), reason=f"no tracing here: {SignalsProbe.missing()}")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="signals with a sender")
WAIT = "import os, pathlib, time\npathlib.Path({pid!r}).write_text(str(os.getpid()) + '.')\ntime.sleep(20)"
STRANGER = """
import os, pathlib, sys, time
file = pathlib.Path(sys.argv[1])
while not (file.exists() and file.read_text().endswith(".")):
    time.sleep(0.02)
time.sleep(0.2)
os.kill(int(file.read_text()[:-1]), int(sys.argv[2]))
time.sleep(3)
"""


def run(folder: Path, text: str, **keys: Any) -> Observed:
    """Observe a script of this text."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "script.py").write_text(text)
    return observe(folder, folder / "script.py", **keys)


def delivered(observed: Observed, signal: str) -> list[dict[str, Any]]:
    """Return the facts' values of one signal."""
    found = [fact.value for fact in observed.trial.facts if fact.name == "signal_delivered"]
    return [value for value in found if value["signal"] == signal]


def struck(folder: Path, number: int, text: str = WAIT) -> tuple[Observed, int]:
    """Observe a script that a stranger sends a signal; return the stranger's pid as well."""
    pid = folder / "pid"
    command = [sys.executable, "-c", STRANGER, str(pid), str(number)]
    with ExitStack() as stack:
        stranger = subprocess.Popen(command, start_new_session=True)
        stack.callback(stranger.wait)
        stack.callback(stranger.kill)
        return run(folder, text.format(pid=str(pid))), stranger.pid


@TRACED
class TestStranger:
    """Another process of the machine, not of the target."""

    @pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (15, "SIGTERM"), (10, "SIGUSR1"), (40, "signal 40")])
    def test_that_ends_it(self, tmp_path: Path, number: int, name: str) -> None:
        """Its pid, its command, its user; the signal is what the process died of."""
        observed, stranger = struck(tmp_path, number)
        (found,) = delivered(observed, name)
        assert (found["by"], found["sender"], found["target"]) == ("stranger", stranger, observed.exit["pid"])
        assert "os.kill(int(file.read_text()" in found["sender_command"] and found["sender_user"]
        assert (found["ends"], found["code"]) == (True, 0)
        assert 0 <= found["before_death_seconds"] < 1 < found["at_seconds"] + 1
        assert f'"sender":{stranger}' in observed.cited("signal_delivered")
        assert observed.exit["signal"] == name

    def test_that_a_handler_survives(self, tmp_path: Path) -> None:
        """The process ends by sys.exit(0) in its handler: the sender is known, the signal is not its end."""
        text = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(0))\n" + WAIT
        observed, stranger = struck(tmp_path, 15, text)
        (found,) = delivered(observed, "SIGTERM")
        assert (found["by"], found["sender"], found["ends"], observed.exit["code"]) == ("stranger", stranger, False, 0)

    def test_that_is_ignored_is_no_signal(self, tmp_path: Path) -> None:
        """The kernel throws it away, and so do we."""
        text = "import signal\nsignal.signal(10, signal.SIG_IGN)\n" + WAIT.replace("20", "1")
        observed, _ = struck(tmp_path, 10, text)
        assert (delivered(observed, "SIGUSR1"), observed.trial.outcome) == ([], "completed")

    def test_that_sends_a_fault(self, tmp_path: Path) -> None:
        """A SIGSEGV by kill(2) is held like a fault; its sender ended it, not the handlers that send it on."""
        observed, stranger = struck(tmp_path, 11)
        found = delivered(observed, "SIGSEGV")
        assert [(value["by"], value["sender"]) for value in found if value["ends"]] == [("stranger", stranger)]

    def test_tool_that_has_gone_is_told_by_its_parent(self, tmp_path: Path) -> None:
        """`kill` lives a millisecond; the shell that started it is known."""
        pid = tmp_path / "pid"
        text = f"until grep -qs '\\.' {pid}; do sleep 0.05; done; sleep 0.3; env kill -TERM $(tr -d . < {pid}); sleep 3"
        with ExitStack() as stack:
            shell = subprocess.Popen(["sh", "-c", text], start_new_session=True)
            stack.callback(shell.wait)
            observed = run(tmp_path, WAIT.format(pid=str(pid)))
        (found,) = delivered(observed, "SIGTERM")
        assert found["by"] == "stranger"
        assert "kill" in found["sender_command"] or "env" in found["sender_command"]
        assert "until grep" in found["parent_command"]


@TRACED
class TestTree:
    """The target's own processes."""

    def test_itself(self, tmp_path: Path) -> None:
        """SIGKILL by os.kill of its own number."""
        observed = observe(tmp_path, victim("kill_self"), "SIGKILL")
        (found,) = delivered(observed, "SIGKILL")
        assert (found["by"], found["sender"], found["ends"]) == ("itself", observed.exit["pid"], True)

    def test_native_code_of_its_own(self, tmp_path: Path) -> None:
        """raise(3) of a C library: Python knows nothing of it."""
        observed = run(tmp_path, "import ctypes; ctypes.CDLL(None)['raise'](15)")
        (found,) = delivered(observed, "SIGTERM")
        assert (found["by"], found["code"], found["ends"]) == ("itself", -6, True)
        assert [fact for fact in observed.trial.facts if fact.name == "signal_sent"] == []

    def test_parent_ends_its_child(self, tmp_path: Path) -> None:
        """A child that is not Python, ended on purpose: sent in the tree, and the child died of it."""
        text = "import subprocess, time\nc = subprocess.Popen(['sleep', '9'])\ntime.sleep(0.2)\nc.terminate()\nc.wait()"
        observed = run(tmp_path, text)
        (found,) = delivered(observed, "SIGTERM")
        assert (found["by"], found["sender"], found["ends"]) == ("tree", observed.exit["pid"], True)
        assert found["target"] != observed.exit["pid"] and observed.trial.outcome == "completed"

    def test_child_that_is_no_python_ends_its_parent(self, tmp_path: Path) -> None:
        """A shell of the target's; it has gone before anybody could ask."""
        text = "import subprocess, time\nsubprocess.Popen(['sh', '-c', 'kill -KILL $PPID'])\ntime.sleep(9)"
        (found,) = delivered(run(tmp_path, text), "SIGKILL")
        assert (found["by"], found["ends"]) == ("tree", True)

    @pytest.mark.parametrize(
        ("started", "kill", "number"),
        [
            ("sh -c 'setsid sh {} {} </dev/null >/dev/null 2>&1 &'", "kill -SEGV $1; sleep 1", "SIGSEGV"),
            (
                "setsid sh {} {} &",
                "env kill -USR1 $1; sleep 1",
                "SIGUSR1",
            ),  # a tool that has gone, of a shell that lives
            ("nohup setsid sh {} {} >/dev/null 2>&1 &", "kill -KILL $1", "SIGKILL"),
        ],
    )
    def test_detached_process_is_no_part_of_the_program(
        self, tmp_path: Path, started: str, kill: str, number: str
    ) -> None:
        """A watchdog that the program started, in a session of its own: it acts on its own, and the place is chance."""
        (tmp_path / "watch.sh").write_text(f"sleep 0.5\n{kill}\n")
        command = started.format(tmp_path / "watch.sh", "$WATCHED")
        text = (
            "import os, subprocess, time\nos.environ['WATCHED'] = str(os.getpid())\n"
            f"subprocess.run({command!r}, shell=True)\ntime.sleep(9)"
        )
        observed = run(tmp_path, text)
        found = [value for value in delivered(observed, number) if value["ends"]]
        assert [(value["by"], value["target"]) for value in found] == [("detached", observed.exit["pid"])]
        assert judged.is_from_outside(observed.trial) and not native_fault.predicts(observed.trial)
        assert observed.trial.signature is not None
        assert (observed.trial.signature.exact, observed.trial.signature.loose) == (None, number)

    def test_parent_in_another_session_is_no_stranger(self, tmp_path: Path) -> None:
        """A launcher gives each rank a session of its own, and ends them: it is their ancestor."""
        text = (
            "import subprocess, time\nc = subprocess.Popen(['sleep', '9'], start_new_session=True)\n"
            "time.sleep(0.2)\nc.kill()\nc.wait()"
        )
        observed = run(tmp_path, text)
        (found,) = delivered(observed, "SIGKILL")
        assert (found["by"], found["sender"]) == ("tree", observed.exit["pid"])

    def test_thread_is_no_stranger(self, tmp_path: Path) -> None:
        """A thread that sends is its process."""
        text = (
            "import os, threading, time\nthreading.Thread(target=lambda: os.kill(os.getpid(), 9)).start()\n"
            "time.sleep(9)"
        )
        observed = run(tmp_path, text)
        (found,) = delivered(observed, "SIGKILL")
        assert (found["by"], found["sender"]) == ("itself", observed.exit["pid"])


@TRACED
class TestKernelAndHarness:
    """Nobody of the target, and no stranger."""

    def test_fault(self, tmp_path: Path) -> None:
        """The kernel's SIGSEGV is what ends it, not what faulthandler sends once more."""
        found = delivered(observe(tmp_path, victim("segv")), "SIGSEGV")
        ending = [(value["by"], value["sender"], value["code"]) for value in found if value["ends"]]
        assert ending == [("kernel", None, 1)]

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("SIGALRM", "import signal, time; signal.alarm(1); time.sleep(9)"),
            ("SIGPIPE", "import os, signal; signal.signal(13, 0); r, w = os.pipe(); os.close(r); os.write(w, b'x')"),
            ("SIGXCPU", "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 9))\nwhile True: pass"),
        ],
    )
    def test_timer_pipe_and_limit(self, tmp_path: Path, name: str, text: str) -> None:
        """What no process sends."""
        found = delivered(run(tmp_path, text), name)
        assert [(value["by"], value["sender"]) for value in found] == [("kernel", None)]
        assert found[0]["ends"]

    def test_many_of_a_kind_are_few_rows(self, tmp_path: Path) -> None:
        """A profiler's timer: the first ones and the last, with the count."""
        text = (
            "import signal, time\nsignal.signal(signal.SIGALRM, lambda *_: None)\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)\nend = time.time() + 0.6\n"
            "while time.time() < end: pass\nsignal.setitimer(signal.ITIMER_REAL, 0)"
        )
        rows = [row for row in run(tmp_path, text).rows(records.SIGNALS) if row.get("signal") == "SIGALRM"]
        assert len(rows) == 9 and rows[-1]["count"] > 30

    def test_the_harness_itself(self, tmp_path: Path) -> None:
        """The end of a trial at its limit is ours."""
        observed = run(tmp_path, "import time; time.sleep(20)", limits={"wall_seconds": 0.6})
        (found,) = delivered(observed, "SIGKILL")
        assert (found["by"], found["sender"], found["ends"]) == ("harness", os.getpid(), True)

    @pytest.mark.skipif(not parents(), reason="no memory control group may be made here")
    def test_oom_killer(self, tmp_path: Path) -> None:
        """The kernel's own mark beside its signal; both rows are cited."""
        command = [str(victim("memory_touch")), "200"]
        read = plan.parse({"target": {"command": command}, "limits": {"wall_seconds": 60}}, tmp_path / "plan.yaml")
        folder = tmp_path / "trials" / "as-is/1"
        trial.run(trial.Request("as-is/1", folder, read.baseline, read, memory_limit_bytes=100 << 20), lambda _: True)
        observed = Observed(tmp_path, facts.read(tmp_path, "as-is/1"))
        (found,) = delivered(observed, "SIGKILL")
        assert (found["by"], found["sender"], found["ends"]) == ("oom-killer", None, True)
        fact = observed.trial.fact("signal_delivered")
        assert fact is not None and len(fact.sources) == 2


@LINUX
class TestWithoutTrace:
    """siginfo of a held signal."""

    @pytest.fixture(autouse=True)
    def no_trace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be a machine that permits none."""
        fewer = [kind for kind in PROBES if kind not in (RefusalsProbe, SignalsProbe)]
        monkeypatch.setattr(trial, "PROBES", fewer)
        monkeypatch.setattr(closing, "PROBES", fewer)

    def test_stranger(self, tmp_path: Path) -> None:
        """The pid and the command of who sent a SIGSEGV."""
        observed, stranger = struck(tmp_path, 11)
        (found,) = delivered(observed, "SIGSEGV")
        assert (found["by"], found["sender"], found["ends"], found["code"]) == ("stranger", stranger, True, 0)
        assert "os.kill(int(file.read_text()" in found["sender_command"]
        assert observed.cited("signal_delivered").strip().startswith('"si_code": 0')

    @pytest.mark.parametrize(("name", "signal", "by"), [("segv", "SIGSEGV", "kernel"), ("abort", "SIGABRT", "itself")])
    def test_kernel_and_itself(self, tmp_path: Path, name: str, signal: str, by: str) -> None:
        """A fault, and an abort."""
        (found,) = delivered(observe(tmp_path, victim(name)), signal)
        assert (found["by"], found["ends"]) == (by, True)

    def test_kill_leaves_no_sender(self, tmp_path: Path) -> None:
        """SIGKILL cannot be held: nothing is known, and nothing is made up."""
        observed, _ = struck(tmp_path, 9)
        assert delivered(observed, "SIGKILL") == []


@TRACED
def test_both_sources_are_one_fact(tmp_path: Path) -> None:
    """An abort that is traced and held: once, by the trace."""
    observed = observe(tmp_path, victim("abort"))
    fatal = [fact for fact in observed.trial.facts if fact.name == "signal_delivered" and fact.value["ends"]]
    assert [fact.value["by"] for fact in fatal] == ["itself"]
    assert fatal[0].sources[0].file.endswith(records.SIGNALS)
