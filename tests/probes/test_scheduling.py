"""The order in which a process' threads run, changed from inside before the target starts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.controls.catalogue import PROGRAMS
from harness.decide.interventions import LONG_SWITCH, ONE_CORE
from harness.facts import reading as facts
from harness.launch import trial
from harness.model import Trial
from harness.plan import plan_file as plan
from harness.plan.intervention import Intervention
from probes import records

SAYS = "import json, os, sys; print(json.dumps([len(os.sched_getaffinity(0)), sys.getswitchinterval()]))"


def under(tmp_path: Path, script: Path, change: Intervention | None) -> tuple[Trial, str]:
    """Run one trial under an intervention; return it and what it printed."""
    raw = {"target": {"command": [str(script)]}, "limits": {"wall_seconds": 30}}
    read = plan.parse(raw, tmp_path / "plan.yaml")
    folder = tmp_path / "trials" / "one" / "1"
    trial.run(trial.Request("one/1", folder, read.baseline, read, change), lambda pulse: True)
    return facts.read(tmp_path, "one/1"), (folder / records.STDOUT).read_text(encoding="utf-8")


@pytest.mark.parametrize(("change", "cores", "seconds"), [(ONE_CORE, 1, 0.005), (LONG_SWITCH, None, 1000.0)])
def test_the_target_starts_under_it(tmp_path: Path, change: Intervention, cores: int | None, seconds: float) -> None:
    """It sees it, and sees nothing else changed."""
    script = tmp_path / "says.py"
    script.write_text(SAYS, encoding="utf-8")
    _, said = under(tmp_path, script, change)
    told = json.loads(said)
    assert told[1] == seconds
    assert cores in (None, told[0])


def test_a_race_of_python_s_threads_needs_the_switch(tmp_path: Path) -> None:
    """The control's fault comes among several threads at work, and is gone under the long interval."""
    dead, _ = under(tmp_path / "as-is", PROGRAMS / "python_race.py", None)
    assert (dead.exit.signal, dead.value("python_threads_at_work")) == ("SIGSEGV", 2)
    alive, said = under(tmp_path / "long", PROGRAMS / "python_race.py", LONG_SWITCH)
    assert (alive.outcome, said.split("\n")[1]) == ("completed", "step 2")


TURNS = """
import ctypes, os, sys, threading, time
most, running, busy = 0, 0, ctypes.CDLL(None).usleep
def work():
    global most, running
    began = time.perf_counter()
    running += 1
    most = max(most, running)
    while time.perf_counter() - began < 0.3:
        sum(range(200))
    running -= 1
sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=work) for _ in range(3)]
[one.start() for one in threads]
[one.join() for one in threads]
print(os.sched_getscheduler(0), most)
"""


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler") or os.geteuid() != 0, reason="only the administrator may")
def test_on_one_core_each_runs_until_it_waits(tmp_path: Path) -> None:
    """Where the scheduler may be told; three threads that never wait do not run at once, whatever their interval."""
    script = tmp_path / "turns.py"
    script.write_text(TURNS, encoding="utf-8")
    found, said = under(tmp_path, script, ONE_CORE)
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("others need the one core, too")
    assert found.value("runs_in_turn") is True
    assert said.split()[0] == str(os.SCHED_FIFO)
