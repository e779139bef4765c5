"""The kernel kills what has used its hard limit of processor time, and asks nobody: seen on a real worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from observing import observe

from harness.decide import wants
from harness.facts.refused import wording
from probes.outside.system.signals import SignalsProbe

pytestmark = pytest.mark.skipif(bool(SignalsProbe.missing()), reason=f"no tracing here: {SignalsProbe.missing()}")


@pytest.mark.parametrize(("seconds", "is_limit"), [(1, True), (30, False)])
def test_kernel_kills_at_the_hard_limit_of_processor_time(tmp_path: Path, seconds: int, is_limit: bool) -> None:
    """A worker of the target's that is no Python of ours; with a wide limit it is the parent that kills it."""
    text = (
        "import resource, subprocess, sys, time\n"
        f"limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))\n"
        "worker = subprocess.Popen([sys.executable, '-S', '-c', 'while True: pass'], preexec_fn=limit)\n"
        f"time.sleep(2)\n{'worker.wait()' if is_limit else 'worker.kill(); worker.wait()'}\nsys.exit(3)"
    )
    (tmp_path / "script.py").write_text(text)
    observed = observe(tmp_path, tmp_path / "script.py")
    found = [want.resource for want in wants.of(observed.trial) if want.is_observed]
    assert found == ([wording.CPU_TIME] if is_limit else [])
