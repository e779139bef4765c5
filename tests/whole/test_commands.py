"""The program as a user starts it: exit codes, what is printed, and the folder that is left."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from observing import harness, is_gone, victim

from harness.decide.effects import ENOUGH
from harness.decide.interventions import LOW_RUNGS, RUNGS
from harness.decide.offers import CONFIRM
from harness.launch import memory_limit
from harness.plan.cells import all_cores
from harness.report import evidence as evidence_json
from probes import records


def run_once(directory: Path, name: str, *arguments: object, before: tuple[str, ...] = ()) -> tuple[int, Path, str]:
    """Observe a victim once; return the exit code, the inquest's folder and what was printed."""
    done = harness(directory, "run", "--once", "--out", "out", *before, "--", victim(name), *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout.splitlines(), done.stderr
    return done.returncode, directory / done.stdout.splitlines()[-1], done.stdout


def read_evidence(folder: Path) -> dict[str, Any]:
    """Return evidence.json, valid by the schema."""
    data: dict[str, Any] = json.loads((folder / records.EVIDENCE).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(evidence_json.schema()).validate(data)
    return data


def every_source(data: object) -> list[tuple[str, int]]:
    """Return every (file, line) that a piece of evidence cites."""
    if isinstance(data, dict):
        own = [(data["file"], data["line"])] if {"file", "line"} <= set(data) else []
        return own + [source for value in data.values() for source in every_source(value)]
    return [source for item in data for source in every_source(item)] if isinstance(data, list) else []


class TestOnce:
    """`harness run --once -- COMMAND`."""

    @pytest.mark.parametrize(
        ("name", "code", "outcome", "verdict"),
        [("healthy", 0, "completed", "no-failure"), ("segv", 3, "died", "open"), ("exception", 3, "died", "open")],
    )
    def test_leaves_a_whole_report(self, tmp_path: Path, name: str, code: int, outcome: str, verdict: str) -> None:
        """The exit code is the verdict's, the last line the folder, evidence.json valid, every cited line is there."""
        returned, folder, printed = run_once(tmp_path, name)
        data = read_evidence(folder)
        assert returned == code
        assert folder.parent == tmp_path / "out" and folder.is_dir()
        assert [trial["outcome"] for trial in data["trials"]] == [outcome]
        assert data["verdict"]["status"] == verdict
        assert f"verdict {verdict}: " in printed
        for file, line in every_source(data):
            path = folder / file
            assert path.is_file(), file
            assert 1 <= line <= max(1, len(path.read_bytes().splitlines())), (file, line)

    def test_runs_the_program_as_it_is(self, tmp_path: Path) -> None:
        """No factor is set unless the command line asks for it."""
        _, folder, _ = run_once(tmp_path, "healthy")
        assert [trial["factors"] for trial in read_evidence(folder)["trials"]] == [{}]
        assert (folder / "trials" / "as-is" / "1" / records.EXIT).is_file()

    def test_passes_arguments_on(self, tmp_path: Path) -> None:
        """What stands behind `--` reaches the program, options of ours included."""
        script = tmp_path / "show.py"
        script.write_text("import sys\nprint(sys.argv[1:])\n")
        done = harness(tmp_path, "run", "--once", "--out", "out", "--", script, "--out", "x", "--", "-m", "ä b")
        log = tmp_path / done.stdout.splitlines()[-1] / "trials" / "as-is" / "1" / records.STDOUT
        assert log.read_text(encoding="utf-8") == "['--out', 'x', '--', '-m', 'ä b']\n"

    def test_peak_is_the_program_s_own(self, tmp_path: Path) -> None:
        """The kernel's peak of a program that does nothing is small: the supervisor's own size does not show."""
        _, folder, _ = run_once(tmp_path, "healthy")
        assert read_evidence(folder)["trials"][0]["peak_rss_bytes"] < 80 << 20

    def test_sweeps_what_the_program_leaves(self, tmp_path: Path) -> None:
        """An orphan is gone when the harness returns, and the report names it."""
        code, folder, _ = run_once(tmp_path, "orphan", tmp_path / "pid")
        orphan = int((tmp_path / "pid").read_text())
        record = records.read_json(folder / "trials" / "as-is" / "1" / records.EXIT) or {}
        assert (code, record["left_behind"]) == (0, [orphan])
        assert is_gone(orphan) and is_gone(record["pid"])

    def test_hang_is_a_failure_with_an_open_verdict(self, tmp_path: Path) -> None:
        """A program without progress is ended, and its hang is in the findings."""
        code, folder, _ = run_once(tmp_path, "deadlock", before=("--set", "limits.no_progress_seconds=1"))
        data = read_evidence(folder)
        status = {finding["id"]: finding["status"] for finding in data["hypotheses"]}
        assert code == 3
        assert data["trials"][0]["outcome"] == "hung"
        assert status["hang"] in ("supported", "established")

    def test_unresolved_trial_is_missing_evidence(self, tmp_path: Path) -> None:
        """A trial cut off by the clock tells nothing: exit code 4, never 0."""
        code, folder, _ = run_once(tmp_path, "endless_loop", before=("--set", "limits.wall_seconds=1"))
        assert code == 4
        assert read_evidence(folder)["verdict"]["status"] == "open"

    def test_journal_tells_the_whole_story(self, tmp_path: Path) -> None:
        """Each event is appended as it happens, the trial before and after its run."""
        _, folder, _ = run_once(tmp_path, "healthy")
        rows = [row.value for row in records.read_lines(folder / records.JOURNAL).rows]
        assert [row["event"] for row in rows] == [
            "begin", "stage ended", "trial begins", "trial ended", "stage ended", "end",
        ]  # fmt: skip
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)

    def test_module_is_a_target(self, tmp_path: Path) -> None:
        """`-- -m MODULE` finds the module in the working directory."""
        (tmp_path / "package").mkdir()
        (tmp_path / "package" / "__init__.py").write_text("")
        (tmp_path / "package" / "__main__.py").write_text("import sys\nprint(__package__, sys.argv[1:])\n")
        done = harness(tmp_path, "run", "--once", "--out", "out", "--", "-m", "package", "one")
        log = tmp_path / done.stdout.splitlines()[-1] / "trials" / "as-is" / "1" / records.STDOUT
        assert (done.returncode, log.read_text()) == (0, "package ['one']\n")


class TestMatrix:
    """`harness run PLAN` on a small plan."""

    def test_runs_baseline_first_every_cell_and_then_intervenes(self, tmp_path: Path) -> None:
        """2 thread counts, 2 repeats: each cell twice; then five of the failing one, five at one thread, the ladder, in
        the order of what each decides a second, which is the machine's; which pool it is at last.
        """
        script = tmp_path / "races.py"
        script.write_text("import os\nos.abort() if os.environ['OMP_NUM_THREADS'] == '2' else print('well')\n")
        plan = tmp_path / "plan.yaml"
        rows = ["name: races", f"target: {{command: [{script}]}}", "factors: {threads: [1, 2]}", "repeats: 2"]
        plan.write_text("\n".join([*rows, "controls: false", ""]))
        done = harness(tmp_path, "run", plan, "--out", "out")
        folder = tmp_path / done.stdout.splitlines()[-1]
        data = read_evidence(folder)
        trials = [(trial["id"], trial["outcome"]) for trial in data["trials"]]
        status = {finding["id"]: finding["status"] for finding in data["hypotheses"]}
        assert trials[:4] == [
            ("threads=2/1", "died"), ("threads=1/1", "completed"),
            ("threads=2/2", "died"), ("threads=1/2", "completed"),
        ]  # fmt: skip
        rungs = {f"threads=2+{rung.id}" for rung in (*RUNGS, *LOW_RUNGS)} if memory_limit.kind_here() else set()
        specs = {name: records.read_json(folder / "trials" / name / records.SPEC) or {} for name, _ in trials}
        counted = Counter(name.rpartition("/")[0] for name in specs)
        pool, at_one = counted.pop("threads=2+OMP_NUM_THREADS=1"), counted.pop("threads=2+threads=1")
        assert counted == {"threads=2": CONFIRM, "threads=1": 2, **dict.fromkeys(rungs, 1)}
        assert (at_one, [name.rpartition("/")[0] for name, _ in trials[-pool:]]) == (
            ENOUGH - 2, ["threads=2+OMP_NUM_THREADS=1"] * pool,
        )  # fmt: skip
        assert pool >= ENOUGH
        assert {tuple(spec["interventions"]) for name, spec in specs.items() if "+" not in name} == {()}
        assert all(specs[f"{name}/1"]["confine"]["limit_bytes"] > 0 for name in rungs)
        assert (done.returncode, data["verdict"]["status"], status["threading-fault"]) == (
            3,
            "open",
            "open",
        )  # a variable chose it
        assert data["verdict"]["next_experiments"] != []

    def test_nothing_failed_and_nothing_is_changed(self, tmp_path: Path) -> None:
        """A target that lives gets its matrix, and once its own number of threads; and is once left unobserved."""
        done = harness(tmp_path, "run", "--set", "controls=false", "--out", "out", "--", victim("healthy"))
        data = read_evidence(tmp_path / done.stdout.splitlines()[-1])
        cells = dict.fromkeys(("threads=1", f"threads={all_cores()}"))
        assert done.returncode == 0
        ids = [f"{cell}/1" for cell in cells]
        more = ["as-is/1", f"threads={all_cores()}+probes=off/1"]
        assert sorted(trial["id"] for trial in data["trials"]) == sorted([*ids, *more])
        assert {trial["outcome"] for trial in data["trials"]} == {"completed"}

    def test_budget_begins_no_further_trial(self, tmp_path: Path) -> None:
        """When the time is spent, the trials that ran are reported; what to run next goes on with them."""
        words = ("--budget", "0", "--set", "controls=false")
        done = harness(tmp_path, "run", *words, "--out", "out", "--", victim("healthy"))
        data = read_evidence(tmp_path / done.stdout.splitlines()[-1])
        assert data["trials"] == []
        assert (done.returncode, data["verdict"]["status"]) == (4, "open")
        assert "the budget of 0 s is spent" in done.stdout
        (next_,) = data["verdict"]["next_experiments"]
        assert next_["command"] == f"harness run --resume {done.stdout.splitlines()[-1]}"
        again = harness(tmp_path, *next_["command"].split()[1:])
        data = read_evidence(tmp_path / done.stdout.splitlines()[-1])
        assert (again.returncode, data["verdict"]["status"], len(data["trials"]) > 1) == (0, "no-failure", True)


class TestReview:
    """`harness review`."""

    def test_judges_again_from_the_folder_alone(self, tmp_path: Path) -> None:
        """Moved elsewhere and without evidence.json, the folder gives the same verdict and exit code."""
        _, folder, _ = run_once(tmp_path, "segv")
        moved = folder.rename(tmp_path / "moved")
        before = (moved / records.EVIDENCE).read_text(encoding="utf-8")
        (moved / records.EVIDENCE).unlink()
        done = harness(tmp_path, "review", moved)
        assert (done.returncode, done.stderr) == (3, "")
        assert "SIGSEGV" in done.stdout
        assert json.loads(before)["verdict"]["statement"].split(";")[0] in " ".join(done.stdout.split())

    def test_one_trial_in_detail(self, tmp_path: Path) -> None:
        """--trial shows one; a trial that is not there is a mistake of the caller, with those that are."""
        _, folder, _ = run_once(tmp_path, "segv")
        assert harness(tmp_path, "review", folder, "--trial", "as-is/1").returncode == 3
        wrong = harness(tmp_path, "review", folder, "--trial", "as-is/9")
        assert wrong.returncode == 2
        assert wrong.stderr == "harness: --trial as-is/9: there is no such trial; there are: as-is/1\n"


class TestDoctor:
    """`harness doctor`."""

    def test_names_every_source_of_evidence(self, tmp_path: Path) -> None:
        """Each probe and tool has a line, whatever this machine has."""
        done = harness(tmp_path, "doctor")
        assert (done.returncode, done.stderr) == (0, "")
        for name in (
            "memory",
            "process tree",
            "threads",
            "maps",
            "kernel log",
            "py-spy",
            "ptrace",
            "gdb",
            "core files",
        ):
            assert name in done.stdout


def test_supervisor_needs_this_interpreter_only(tmp_path: Path) -> None:
    """The child is run by the interpreter that runs the harness."""
    _, folder, _ = run_once(tmp_path, "healthy")
    spec = records.read_json(folder / "trials" / "as-is" / "1" / records.SPEC) or {}
    assert spec["python"] == sys.executable
