"""Real operators that really die: captured, replayed with torch alone, narrowed, and written as a repro."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from observing import harness, victim

from harness.decide import study
from harness.decide.statistics import Count
from harness.decide.study import Study
from harness.facts import reading as facts
from harness.launch import trial
from harness.plan import plan_file as plan
from harness.plan.plan_file import Plan
from harness.shrink.place import place_stage
from harness.shrink.place.conclusion import Found, Place
from harness.shrink.place.narrow import Stretch
from harness.shrink.place.replays import MOST, missed, repeats
from harness.shrink.place.repro import Form, Repro
from harness.shrink.place.sub_trials import Bench
from probes import records

REPEATS = 5  # trials of the dying cell: as many as an inquest makes
PLANT = {"module": "backbone", "call": 2, "min_threads": 2, "min_batch": 2}


def always(*_: object) -> bool:
    """Let every trial begin, and go on."""
    return True


def dying(root: Path, *command: object, trials: int = REPEATS, **keys: Any) -> tuple[Plan, Study]:
    """Run a dying command so many times; return its plan and the study of its failure."""
    raw = {"target": {"command": [str(word) for word in command]}, "limits": {"wall_seconds": 60}, **keys}
    read = plan.parse(raw, root / "plan.yaml")
    names = [f"{read.baseline.id}/{number}" for number in range(1, trials + 1)]
    for name in names:
        trial.run(trial.Request(name, root / "trials" / name, read.baseline, read), always)
    found = study.of([facts.read(root, name) for name in names])
    assert found is not None
    return read, found


def place_of(root: Path, *command: object, **keys: Any) -> Place:
    """Return where a command dies."""
    read, found = dying(root, *command, **keys)
    return place_stage.find(root, read, found, Bench(root, place_stage.FOLDER, always, always))[0]


def texts(place: Place) -> list[str]:
    """Return the sentences that carry a place."""
    return [reason.text for reason in place.reasons]


def check_sources(root: Path, place: Place) -> None:
    """Every sentence points at a line that is there."""
    for reason in place.reasons:
        assert reason.evidence != ()
        for source in reason.evidence:
            assert source.line <= len((root / source.file).read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Place, Repro]:
    """Run the whole stage once on a division that dies."""
    root = tmp_path_factory.mktemp("division")
    read, found = dying(root, victim("operator_faults"), "division", trials=2)
    return root, *place_stage.run(root, read, found, always, always)


class TestRepeats:
    """How often a replay must survive before that means anything."""

    @pytest.mark.parametrize(("rate", "expected"), [((5, 5), 5), ((20, 20), 2), ((3, 12), MOST), ((0, 5), MOST)])
    def test_follows_the_failure_s_own_rate(self, rate: tuple[int, int], expected: int) -> None:
        """A rare failure needs many, up to a bound."""
        assert repeats(Count(*rate)) == expected

    def test_the_chance_of_luck_is_told(self) -> None:
        """By the lower bound of the rate."""
        assert missed(Count(5, 5), 5) < 0.05 < missed(Count(5, 5), 3)
        assert missed(Count(0, 5), 9) == 1.0


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="the signal of an integer division")
class TestOperator:
    """One operator of a module whose class only the trainer knows."""

    def test_is_found_and_dies_alone(self, case: tuple[Path, Place, Repro]) -> None:
        """In its second call, in one operator, by one replay."""
        root, place, _ = case
        assert (place.found, place.operator, place.stretch) == (Found.OPERATOR, "aten.div.Tensor_mode", Stretch(4, 4))
        assert place.module == "body (__main__.Buckets), call 2 of step 1"
        assert "input codes: int32 [8], buffer width: int32 [8]" in texts(place)[0]
        assert [(row.stretch, row.dies, len(row.runs)) for row in place.asked] == [(Stretch(4, 4), True, 1)]
        check_sources(root, place)

    def test_is_written_down(self, case: tuple[Path, Place, Repro]) -> None:
        """place.json says the same."""
        root, place, _ = case
        told = json.loads((root / "place" / "place.json").read_text(encoding="utf-8"))
        assert (told["found"], told["statement"], told["stretch"]) == ("operator", place.statement, [4, 4])

    def test_the_repro_dies_five_of_five(self, case: tuple[Path, Place, Repro]) -> None:
        """Its rate stands in the script and in the record, each run with its source."""
        root, _, made = case
        told = json.loads((root / "repro" / "repro.json").read_text(encoding="utf-8"))
        assert (made.form, str(made.rate), told["failures"], told["trials"]) == (Form.OPERATOR, "5 of 5", 5, 5)
        assert [(root / row["evidence"][0]["file"]).is_file() for row in told["runs"]] == [True] * 5
        text = (root / "repro" / "repro.py").read_text(encoding="utf-8")
        assert text.splitlines()[1].startswith("# Died 5 of 5 times the same way (SIGFPE: ")
        assert len(text.splitlines()) < 60 and "import trainer" not in text and "harness" not in text

    def test_the_repro_needs_nothing_of_ours(self, case: tuple[Path, Place, Repro], tmp_path: Path) -> None:
        """Copied elsewhere, run by a bare interpreter, it dies of the same signal."""
        script = shutil.copy(case[0] / "repro" / "repro.py", tmp_path)
        done = subprocess.run([sys.executable, "-I", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (-8, ""), done.stderr

    def test_another_run_of_the_stage_launches_nothing(self, case: tuple[Path, Place, Repro]) -> None:
        """An interrupted inquest goes on from what has been run."""
        root, place, made = case
        read = plan.parse({"target": {"command": [str(victim("operator_faults")), "division"]}}, root / "plan.yaml")
        found = study.of([facts.read(root, f"as-is/{number}") for number in (1, 2)])
        assert found is not None
        again = place_stage.run(root, read, found, lambda: False, always)
        assert (again[0].stretch, again[1].rate, again[1].finished) == (place.stretch, made.rate, True)

    def test_runs_again_elsewhere(self, case: tuple[Path, Place, Repro], tmp_path: Path) -> None:
        """`harness run --repro`: the rate there and here; exit code 3, as no cause is named."""
        done = harness(tmp_path, "run", "--repro", case[0], "--out", tmp_path / "out", seconds=100)
        lines = done.stdout.splitlines()
        assert done.returncode == 3, done.stdout + done.stderr
        assert lines[1].startswith("there: died 5 of 5 times the same way (SIGFPE: ")
        assert lines[2] == "here:  died 5 of 5 times the same way"
        assert Path(lines[-1]).parent == tmp_path / "out" and Path(lines[-1]).is_dir()

    def test_a_repro_that_survives_is_no_failure(self, case: tuple[Path, Place, Repro], tmp_path: Path) -> None:
        """Exit code 0: on this machine nothing dies."""
        shutil.copytree(case[0] / "repro", tmp_path / "report" / "repro")
        (tmp_path / "report" / "repro" / "repro.py").write_text("print('survived')\n", encoding="utf-8")
        done = harness(tmp_path, "run", "--repro", "report", "--out", "out", seconds=100)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "here:  died 0 of 5 times the same way" in done.stdout


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="the signal of an integer division")
class TestValues:
    """Deaths that depend on what the tensors hold."""

    def test_operators_that_make_the_values_belong_to_it(self, tmp_path: Path) -> None:
        """The division alone is given other numbers and survives; with the two operators before it, it dies."""
        place = place_of(tmp_path, victim("operator_faults"), "large")
        assert (place.found, place.stretch) == (Found.OPERATORS, Stretch(7, 9))
        assert "zeros stand for the whole numbers of t10, output of operator 7[0]" in [gap.reason for gap in place.gaps]
        check_sources(tmp_path, place)

    def test_values_that_were_not_recorded_leave_it_open(self, tmp_path: Path) -> None:
        """And the plan's key that would tell is named."""
        place = place_of(tmp_path, victim("operator_faults"), "values")
        assert place.found is Found.UNKNOWN and "replay_values: true" in place.statement

    def test_recorded_values_are_replayed(self, tmp_path: Path) -> None:
        """The repro carries them along."""
        read, found = dying(tmp_path, victim("operator_faults"), "values", trials=2, replay_values=True)
        place, made = place_stage.run(tmp_path, read, found, always, always)
        assert (place.found, place.operator) == (Found.OPERATOR, "aten.div.Tensor_mode")
        assert (made.form, str(made.rate)) == (Form.OPERATOR, "5 of 5")
        assert len(list((tmp_path / "repro" / "values").iterdir())) == 2


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="mprotect, and the held crash that tells the address")
class TestContext:
    """The module's operators survive alone."""

    def test_what_others_did_to_the_input_is_not_the_module_s_fault(self, tmp_path: Path) -> None:
        """The address lies in the input, which can no longer be read; the repro is the command itself, and says so."""
        read, found = dying(tmp_path, victim("operator_faults"), "context")
        place, made = place_stage.run(tmp_path, read, found, always, always)
        assert place.found is Found.CONTEXT and "the context matters" in place.statement
        assert place.missed is not None and place.missed < 0.05
        assert "bytes into the storage (4194304 bytes, torch's own memory) of input args[0]" in texts(place)[1]
        assert (made.form, made.is_standalone, made.rate) == (Form.COMMAND, False, Count(REPEATS, REPEATS))
        assert not (tmp_path / "repro" / "repro.py").exists()
        assert "there is no standalone script" in made.statement
        check_sources(tmp_path, place)
        copied = plan.read(tmp_path / "repro" / "config.yaml", [])
        assert (copied.target, copied.baseline) == (read.target, read.baseline)

    def test_a_planted_fault_is_context_and_the_repro_carries_it(self, tmp_path: Path) -> None:
        """The founding case, small: the operator was given memory of no tensor; the script plants it, and dies so."""
        read, found = dying(tmp_path, victim("tiny_trainer"), 4, factors={"threads": [2]}, plant=PLANT)
        place, made = place_stage.run(tmp_path, read, found, always, always)
        assert (place.found, place.operator) == (Found.CONTEXT, "aten.mul.Tensor")
        assert place.module == "backbone (__main__.Backbone), call 2 of step 1"
        assert "was given memory that belongs to no tensor of the module" in place.statement
        assert "(16777216 bytes, memory that torch did not allocate) of a tensor from outside" in texts(place)[1]
        assert (made.form, str(made.rate)) == (Form.PLANTED, "5 of 5")
        text = (tmp_path / "repro" / "repro.py").read_text(encoding="utf-8")
        assert "The plan's planted fault" in text and len(text.splitlines()) < 60


class TestNotCaptured:
    """Deaths that have no call to capture."""

    @pytest.mark.torch
    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (("signature_faults", "null_read"), "only a module's forward is captured"),
            (("tiny_trainer", "4", "exit"), "only a crash is replayed"),
        ],
    )  # fmt: skip
    def test_are_told_from_each_other(self, tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
        """Nothing is launched; the repro is the command."""
        read, found = dying(tmp_path, victim(words[0]), *words[1:], trials=1)
        place, made = place_stage.run(tmp_path, read, found, always, always)
        assert place.found is Found.UNKNOWN and reason in place.statement
        assert [gap.probe for gap in place.gaps] == ["capture"]
        assert not (tmp_path / "place" / "trials").exists()
        assert (made.form, made.rate) == (Form.COMMAND, Count(1, 1))
        assert (tmp_path / "repro" / "command.txt").read_text().startswith("harness run --once ")

    @pytest.mark.torch
    def test_a_death_outside_of_operators_names_none(self, tmp_path: Path) -> None:
        """Python code of the module reads the address 0 before any operator."""
        place = place_of(tmp_path, victim("tiny_trainer"), 4, "segv", trials=1)
        assert place.found is Found.UNKNOWN and place.operator is None
        assert "it ran no operator" in place.statement


class TestCommandLine:
    """`harness run --repro` without a repro."""

    def test_is_a_usage_error(self, tmp_path: Path) -> None:
        """Exit code 2, one message; no folder is made."""
        done = harness(tmp_path, "run", "--repro", "nowhere", "--out", "out")
        assert (done.returncode, done.stdout) == (2, "")
        assert "there is no repro/repro.json in this folder" in done.stderr and "Traceback" not in done.stderr
        assert not (tmp_path / "out").exists()


def test_the_bench_runs_nothing_when_nothing_may_begin(tmp_path: Path) -> None:
    """A spent budget is an answer, and leaves no journal."""
    bench = Bench(tmp_path, "place", lambda: False, always)
    read = plan.parse({"target": {"command": [str(victim("healthy"))]}}, tmp_path / "plan.yaml")
    assert bench.run("capture/1", read.baseline, read) is None
    assert not (tmp_path / "place" / records.JOURNAL).exists()
