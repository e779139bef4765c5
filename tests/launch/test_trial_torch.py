"""One trial of a program that trains with torch, and knows nothing of us."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from observing import SECONDS, Observed, observe, source_line, victim

from probes import records

pytestmark = pytest.mark.torch
SCRIPT = victim("tiny_trainer")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Return a trial of six steps, which is an epoch and a half."""
    return observe(tmp_path_factory.mktemp("trained"), SCRIPT, 6, expect={"steps": 6}, factors={"threads": [1]})


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Return a trial that ends by SIGSEGV in the second backbone call of step 2."""
    return observe(tmp_path_factory.mktemp("crashed"), SCRIPT, 6, "segv", expect={"steps": 6}, factors={"threads": [2]})


class TestTrained:
    """A run that does its work."""

    def test_is_completed(self, trained: Observed) -> None:
        """All steps, an end of main, no failure."""
        assert (trained.trial.outcome, trained.trial.value("steps_done")) == ("completed", 6)
        assert trained.calls() == ["end of main", "atexit"]
        assert str(trained.trial.last_event) == "finalization of step 6"

    def test_computes_what_it_computes_alone(self, trained: Observed) -> None:
        """Every loss is bit for bit the one without observation, and so is all output."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        alone = subprocess.run([sys.executable, SCRIPT, "6"], env=environment, capture_output=True, timeout=SECONDS)
        assert alone.stdout.count(b"loss 0x1.") == 6
        assert trained.raw(records.STDOUT) == alone.stdout
        assert trained.raw(records.STDERR) == alone.stderr

    def test_epochs_and_steps_are_counted(self, trained: Observed) -> None:
        """An epoch has 4 steps: steps 5 and 6 are of the second."""
        steps = [(row.step, row.epoch, row.done) for row in trained.flight() if row.kind == "step"]
        assert steps == [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 1, 4), (5, 2, 5), (6, 2, 6)]

    def test_forwards_come_in_pairs(self, trained: Observed) -> None:
        """Each top-level forward begins and ends once a step: the model, its backbone twice, its head."""
        rows = trained.rows(records.FORWARDS)
        seen = [(row["event"], row["module"], row["call"]) for row in rows if row["step"] == 3]
        assert seen == [
            ("begin", "Siamese", 1),
            ("begin", "backbone", 1),
            ("end", "backbone", 1),
            ("begin", "backbone", 2),
            ("end", "backbone", 2),
            ("begin", "head", 1),
            ("end", "head", 1),
            ("end", "Siamese", 1),
        ]
        assert [row["t"] for row in rows] == sorted(row["t"] for row in rows)
        assert {row["step"]: row["epoch"] for row in rows} == {1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 2}

    def test_timings_are_summed_up(self, trained: Observed) -> None:
        """A line a module and call, six of each, all of them finished."""
        timings = trained.trial.forwards
        names = [(timing.module, timing.call) for timing in timings]
        assert names == [("Siamese", 1), ("backbone", 1), ("backbone", 2), ("head", 1)]
        assert [(timing.count, timing.unfinished) for timing in timings] == [(6, 0)] * 4
        assert all(0 < (timing.median_seconds or 0) <= (timing.p95_seconds or 0) < 5 for timing in timings)

    def test_phases_of_a_step_stand_in_the_ring(self, trained: Observed) -> None:
        """Data, batch, forwards, backward, optimizer, step: in that order."""
        outer = [row.kind for row in trained.flight() if row.step == 4 and row.depth == 0]
        phases = ["enter", "leave", "backward", "backward_end", "optimizer", "step"]
        assert [kind for kind in outer if kind in phases] == phases

    def test_torch_says_what_it_is(self, trained: Observed) -> None:
        """Version and thread counts, as torch itself tells them."""
        trial = trained.trial
        assert trial.value("torch_threads") == 1
        assert trial.value("torch_version").count(".") >= 2
        assert f'"version":"{trial.value("torch_version")}"' in trained.cited("torch_version")

    def test_openmp_runtime_is_listed(self, trained: Observed) -> None:
        """The runtime that torch brings is in maps.txt, and its line is cited."""
        runtimes = trained.trial.value("openmp_runtimes")
        if sys.platform == "linux":
            assert len(runtimes) >= 1
            assert runtimes[0] in trained.cited("openmp_runtimes")


class TestCrashed:
    """A real SIGSEGV within a forward."""

    def test_point_of_death_is_the_call(self, crashed: Observed) -> None:
        """Module, call and step; the step before was done."""
        trial = crashed.trial
        assert (trial.outcome, trial.exit.signal, trial.exit.ended_by) == ("died", "SIGSEGV", "itself")
        assert str(trial.last_event) == "backbone, call 2 of step 2"
        assert trial.last_event is not None and (trial.last_event.epoch, trial.last_event.phase) == (1, "forward")
        assert trial.value("steps_done") == 1
        assert crashed.text(records.STDOUT).count("\n") == 1

    def test_unfinished_forwards_are_counted(self, crashed: Observed) -> None:
        """The model's and the second backbone call have begun and not ended."""
        unfinished = {(timing.module, timing.call): timing.unfinished for timing in crashed.trial.forwards}
        assert unfinished == {("Siamese", 1): 1, ("backbone", 1): 0, ("backbone", 2): 1, ("head", 1): 0}
        assert crashed.rows(records.FORWARDS)[-1]["event"] == "begin"

    def test_fault_log_names_the_line(self, crashed: Observed) -> None:
        """The Python stack at the instant of death begins in ctypes and leads to the forward."""
        line = source_line(SCRIPT, "ctypes.string_at(0)")
        assert f'File "{SCRIPT}", line {line} in forward' in crashed.text(records.FAULT_LOG)

    def test_signature_has_the_place(self, crashed: Observed) -> None:
        """How and where, without the step."""
        signature = crashed.trial.signature
        assert signature is not None and signature.point == "SIGSEGV in forward backbone#2"

    def test_threads_are_set_as_the_cell_says(self, crashed: Observed) -> None:
        """Two, whatever the machine has."""
        assert crashed.trial.value("torch_threads") == 2


class TestExit:
    """sys.exit(0) in the middle of a step."""

    def test_is_a_death(self, tmp_path: Path) -> None:
        """Exit code 0 within a forward is not a completed run, even where no number of steps is expected."""
        observed = observe(tmp_path, SCRIPT, 6, "exit")
        assert (observed.exit["code"], observed.trial.outcome) == (0, "died")
        assert observed.calls() == ["sys.exit", "atexit"]
        line = source_line(SCRIPT, "sys.exit(0)")
        assert f"line {line}, in forward" in observed.cited("exit_call")


class TestSteps:
    """limits.steps."""

    def test_stops_a_trial_that_is_well(self, tmp_path: Path) -> None:
        """It is stopped once the steps are done; the count is the one that the program printed."""
        observed = observe(tmp_path, SCRIPT, 1000, "none", 0.2, limits={"steps": 5})
        printed = observed.text(records.STDOUT).count("\n")
        assert (observed.exit["ended_by"], observed.exit["limit"]) == ("harness", "steps")
        assert observed.trial.outcome == "stopped"
        assert observed.trial.value("steps_done") >= 5
        assert observed.trial.value("steps_done") - printed in (0, 1)

    def test_too_few_are_a_death(self, tmp_path: Path) -> None:
        """A run that ends well and early has not completed what the plan expects."""
        assert observe(tmp_path, SCRIPT, 2, expect={"steps": 3}).trial.outcome == "died"
