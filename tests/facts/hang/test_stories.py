"""Standstills told as a closed story: real programs through the whole pipeline, and who waited for whom in them."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from observing import Observed, is_gone, observe, source_line, victim, wait_for

from harness.decide.hypotheses import Case, hang

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
LIMITS = {"no_progress_seconds": 0.7}
HOLDER = """
import fcntl, os, signal, sys
signal.alarm(60)
with open(sys.argv[1], "w") as mine:
    fcntl.flock(mine, fcntl.LOCK_EX)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each trial in a directory of its own."""
    monkeypatch.chdir(tmp_path)


def reasons(observed: Observed) -> list[str]:
    """Return the sentences of the finding; each must cite a record that exists."""
    finding = hang.judge(Case((observed.trial,), {}))
    assert finding.status == "established"
    cited = [source for reason in finding.reasons for source in reason.evidence]
    assert cited and all((observed.root / source.file).exists() for source in cited)
    assert is_gone(observed.exit["pid"])
    return [reason.text for reason in finding.reasons]


def test_a_lost_process_of_a_pool(tmp_path: Path) -> None:
    """`Pool.map` waits for the result of a process that was killed: the loss is told beside the wait."""
    told = reasons(observed := observe(tmp_path, victim("hang_pool"), limits=LIMITS))
    assert observed.trial.value("hang_kind") == "deadlock"
    assert any("was lost before: SIGKILL; whoever waits for its work waits for ever" in text for text in told)
    assert any("nobody is left who could end it" in text for text in told)
    place = f"from <module> ({victim('hang_pool')}:{source_line(victim('hang_pool'), 'pool.map')})"
    assert any(place in text for text in told)


def test_a_feeder_thread_that_raises(tmp_path: Path) -> None:
    """What a queue's feeder printed is quoted: the result that could not be sent is the one that is waited for."""
    told = reasons(observed := observe(tmp_path, victim("hang_feeder"), limits=LIMITS))
    (fact,) = [fact for fact in observed.trial.facts if fact.name == "printed_error"]
    assert "cannot pickle '_thread.lock' object" in fact.value["words"] and fact.value["count"] == 1
    assert "cannot pickle" in observed.cited("printed_error")
    assert any("printed before, and not fatal: TypeError: cannot pickle" in text for text in told)


def test_a_stopped_holder_outside(tmp_path: Path) -> None:
    """The kernel names who holds a file's lock; that it is stopped, and no part of the program, is told."""
    with ExitStack() as stack:
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "lock")])
        stack.callback(holder.wait)
        stack.callback(holder.send_signal, signal.SIGKILL)
        wait_for(lambda: Path(f"/proc/{holder.pid}/stat").read_text().rpartition(") ")[2][0] == "T")
        observed = observe(tmp_path, victim("hang_file_lock"), tmp_path / "lock", "stranger", limits=LIMITS)
    told = reasons(observed)
    assert (observed.trial.value("hang_kind"), observed.trial.value("hang_closed")["closed"]) == ("blocked I/O", False)
    (text,) = [text for text in told if "not of this program" in text]
    assert f"({tmp_path / 'lock'}), which process {holder.pid} (" in text
    assert text.endswith(", not of this program) holds, and that is stopped")


def test_whoever_asks_again_and_again(tmp_path: Path) -> None:
    """A sleep that is gone back to is no sleep that ends by itself: established, and what was asked stays in doubt."""
    observed = observe(tmp_path, victim("hang_poll"), tmp_path / "none", limits=LIMITS)
    told = reasons(observed)
    assert observed.trial.value("hang_kind") == "polling"
    assert any(f"{victim('hang_poll')}:" in text for text in told)
    assert any("may still come" in gap.reason for gap in hang.judge(Case((observed.trial,), {})).gaps)


def test_a_thread_that_died_before(tmp_path: Path) -> None:
    """An event that only an ended thread could have set."""
    told = reasons(observe(tmp_path, victim("hang_thread_died"), limits=LIMITS))
    assert any("thread preparer of process" in text and "had ended by KeyError: 'labels'" in text for text in told)


def test_the_programs_own_watchdog(tmp_path: Path) -> None:
    """The exit of `faulthandler.dump_traceback_later` is the messenger: what it reports is the failure."""
    observed = observe(tmp_path, victim("watchdog"), "faulthandler", limits={"no_progress_seconds": 30})
    assert (observed.trial.outcome, observed.exit["code"]) == ("died", 1)
    fact = observed.trial.value("standstill_reported")
    assert fact["by"] == "faulthandler.dump_traceback_later"
    assert f"wait ({victim('watchdog')}:" in fact["at"]
    assert observed.cited("standstill_reported").startswith("Timeout (")
    finding = hang.judge(Case((observed.trial,), {}))
    assert (finding.status, len(finding.gaps)) == ("supported", 1)
