"""Programs as people report them, whose ending says one thing and whose records another: each on a real victim."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import task_groups
from observing import Observed, observe

from harness.decide import judged, memory_course, wants
from harness.decide.hypotheses import deliberate_exit, native_fault
from harness.facts.refused import wording
from probes.outside.system.refusals import RefusalsProbe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups, and signals with a sender")
POOL = """
with open({group!r}, "w") as stream:
    stream.write("0")
import torch
torch.set_num_threads(64)
for _ in range(50):
    torch.ones(1 << 20).exp_()
"""
GROWS = """
import os, time
kept = []
with open("pid.draft", "w") as stream:
    stream.write(str(os.getpid()))
os.replace("pid.draft", "pid")
for step in range(120):
    kept.append(bytearray(b"x" * (4 << 20)))
    print("step", step, flush=True)
    time.sleep(0.1)
"""
WARDEN = """
import os, sys, time
file, most = sys.argv[1], int(sys.argv[2])
deadline = time.monotonic() + 40
while not os.path.exists(file) and time.monotonic() < deadline:
    time.sleep(0.01)
pid = int(open(file).read())
while time.monotonic() < deadline and os.path.exists(f"/proc/{pid}/statm"):
    if int(open(f"/proc/{pid}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") > most:
        os.kill(pid, 9)
        break
    time.sleep(0.01)
"""
LOKY = """
import ctypes
from joblib import Parallel, delayed
def read(number):
    return ctypes.string_at(8 if number == 3 else b"abc")
if __name__ == "__main__":
    print(Parallel(n_jobs=2)(delayed(read)(number) for number in range(6)))
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """Make a real control group for at most 24 tasks, and remove it; skip where that is not permitted."""
    yield from task_groups.group_of(24)


def run(folder: Path, text: str) -> Observed:
    """Observe a script of this text, which runs in its own folder."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "script.py").write_text(text)
    return observe(folder, folder / "script.py")


@pytest.mark.torch
def test_task_limit_of_a_group_is_no_wish_of_the_program(tmp_path: Path, group: Path) -> None:
    """Libgomp says so, and calls exit(1), in which the threads that it has may fault: the limit was refused."""
    found = run(tmp_path, POOL.format(group=str(group / "cgroup.procs"))).trial
    assert found.outcome == "died"
    assert any(want.resource == wording.THREADS and want.is_full for want in wants.of(found))
    assert not deliberate_exit.predicts(found)


@pytest.mark.skipif(bool(RefusalsProbe.missing()), reason=f"no tracing here: {RefusalsProbe.missing()}")
def test_who_watches_memory_kills_at_the_same_use(tmp_path: Path) -> None:
    """Three deaths from outside, and all at one use, as is recorded of each."""
    trials = []
    for number in range(3):
        place = tmp_path / str(number)
        place.mkdir()
        text = f"import os\nos.chdir({str(place)!r})\n{GROWS}"
        with ExitStack() as stack:
            warden = subprocess.Popen([sys.executable, "-c", WARDEN, str(place / "pid"), str(150 << 20)])
            stack.callback(warden.wait)
            stack.callback(warden.kill)
            trials.append(run(place, text).trial)
    assert [(one.exit.signal, judged.is_from_outside(one)) for one in trials] == [("SIGKILL", True)] * 3
    uses = [memory_course.use_at_death(one) for one in trials]
    assert all(use is not None and (130 << 20) < use < (190 << 20) for use in uses), uses


def test_loky_worker_that_faults_in_native_code(tmp_path: Path) -> None:
    """The exception of the executor is the messenger; the worker's own death is what is judged."""
    pytest.importorskip("joblib")
    found = run(tmp_path, LOKY).trial
    assert found.value("python_error") is not None
    assert judged.of(found).signal == "SIGSEGV" and not judged.of(found).is_observed
    assert native_fault.predicts(found)
