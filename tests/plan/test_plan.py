"""YAML -> Plan: the shipped plans are sound, and every problem of a bad one is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from observing import ROOT

from harness.model import Cell, ConfigError
from harness.plan import cells
from harness.plan import plan_file as plan

CONFIGS = ROOT / "configs"
LEAST: Mapping[str, Any] = {"target": {"command": ["give-one.py"]}}
NO_LIMITS = plan.Limits(None, None, None, None)


def problems(raw: Mapping[str, Any], path: Path = Path("plan.yaml")) -> list[str]:
    """Return what is wrong with a plan, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        plan.parse(raw, path)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the path of a plan whose folder holds the configuration config.yaml of a target."""
    (tmp_path / "config.yaml").write_text("batch_size: 8\nmodel: {depth: 50}\nempty: null\n")
    return tmp_path / "plan.yaml"


def with_config(**keys: object) -> dict[str, Any]:
    """Return a plan whose target has a configuration."""
    return {"target": {"command": ["run.py", "{config}"], "config": "config.yaml"}, **keys}


class TestShippedPlans:
    """The files under configs/."""

    @pytest.mark.parametrize("name", ["inquest.yaml", "silent_exit.yaml", "smoke.yaml", "command.yaml"])
    def test_parse(self, name: str) -> None:
        """Each is a plan; its baseline is one of its cells; a trial that stands still is ended."""
        read = plan.read(CONFIGS / name, [])
        assert read.baseline in cells.cells(read.factors)
        assert read.limits.no_progress_seconds or read.limits.no_progress_start_seconds

    def test_founding_case(self) -> None:
        """The planted fault strikes from 2 threads and a batch of 4 on, and the baseline is the worst cell."""
        read = plan.read(CONFIGS / "silent_exit.yaml", [])
        assert read.plant == plan.Plant("backbone", 2, 2, 4)
        assert read.baseline == Cell((("threads", 2), ("batch_size", 8)))
        assert len(cells.cells(read.factors)) == 6
        assert read.expect_steps == 3

    def test_smoke_is_one_small_trial(self) -> None:
        """Batch size 1, 1 thread, 2 steps, and no minute of time."""
        read = plan.read(CONFIGS / "smoke.yaml", [])
        assert cells.cells(read.factors) == [Cell((("threads", 1), ("batch_size", 1)))]
        assert (read.expect_steps, read.settings["max_steps"]) == (2, 2)
        assert (read.limits.wall_seconds or 0) <= 60

    def test_are_found_by_name_from_anywhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bare name that is no file here is the shipped plan; a file here wins."""
        monkeypatch.chdir(tmp_path)
        assert plan.find("smoke.yaml") == CONFIGS / "smoke.yaml"
        assert plan.find("configs/smoke.yaml") == CONFIGS / "smoke.yaml"
        assert plan.find("other.yaml") == Path("other.yaml")
        (tmp_path / "smoke.yaml").write_text("")
        assert plan.find("smoke.yaml") == Path("smoke.yaml")


class TestDefaults:
    """What a plan need not say."""

    def test_least_plan(self) -> None:
        """A command alone is a plan: one cell, one repeat, no limit, inside probes on."""
        read = plan.parse(LEAST, Path("folder/my.yaml"))
        assert (read.name, read.target) == ("my", plan.Target(("give-one.py",)))
        assert (read.factors, read.baseline, read.repeats, read.limits) == ((), Cell(()), 1, NO_LIMITS)
        assert (read.interval_seconds, read.inside_probes, read.expect_steps, read.plant) == (0.02, True, None, None)
        assert read.source == LEAST

    def test_all_is_every_core_and_values_stand_once(self) -> None:
        """`all` becomes a number; where it is one that stands there already, the cell is not run twice."""
        cores = cells.all_cores()
        read = plan.parse({**LEAST, "factors": {"threads": [1, cores, "all"]}}, Path("plan.yaml"))
        assert read.factors == (("threads", tuple(dict.fromkeys((1, cores)))),)

    def test_baseline_is_the_last_values(self) -> None:
        """Else what the plan names, for the factors that it names."""
        raw = {**LEAST, "factors": {"threads": [1, 2], "interop_threads": [1, 3]}}
        last = Cell((("threads", 2), ("interop_threads", 3)))
        assert plan.parse(raw, Path("p.yaml")).baseline == last
        chosen = plan.parse({**raw, "baseline": {"threads": 1}}, Path("p.yaml")).baseline
        assert chosen == Cell((("threads", 1), ("interop_threads", 3)))


class TestRead:
    """A plan file with what the command line says on top."""

    def test_set_overrides_and_adds(self, config: Path) -> None:
        """Values are YAML; a key on the way is made."""
        config.write_text(yaml.safe_dump(with_config(repeats=2)))
        words = ["repeats=5", "factors.batch_size=[1, 4]", "limits.wall_seconds=2.5", "settings.batch_size=null"]
        read = plan.read(config, words)
        assert (read.repeats, read.factors, read.limits.wall_seconds) == (5, (("batch_size", (1, 4)),), 2.5)
        assert dict(read.settings) == {"batch_size": None}

    def test_command_takes_the_target_s_place(self) -> None:
        """With a command of its own nothing of the plan's target, settings, plant or expectation is left."""
        read = plan.read(CONFIGS / "silent_exit.yaml", ["factors={}"], ["train.py", "--epochs", "1"])
        assert read.target == plan.Target(("train.py", "--epochs", "1"))
        assert (dict(read.settings), read.plant, read.expect_steps) == ({}, None, None)

    @pytest.mark.parametrize("word", ["repeats", "=3", " =3"])
    def test_set_needs_a_key_and_an_equals(self, word: str) -> None:
        """Anything else is refused with an example."""
        with pytest.raises(ConfigError, match="expected key=value, e.g. --set repeats=3"):
            plan.read(CONFIGS / "smoke.yaml", [word])

    def test_missing_file_and_no_mapping(self, tmp_path: Path) -> None:
        """A plan that is not there, or is no mapping, is refused by name."""
        with pytest.raises(ConfigError, match="there is no such plan file"):
            plan.read(tmp_path / "none.yaml", [])
        (tmp_path / "list.yaml").write_text("[1]")
        with pytest.raises(ConfigError, match="a plan is a mapping of keys to values, this is list"):
            plan.read(tmp_path / "list.yaml", [])

    def test_what_is_stored_gives_the_same_plan(self, config: Path) -> None:
        """`source`, written as YAML and read again, is the plan that was run: --resume depends on it."""
        config.write_text(yaml.safe_dump(with_config()))
        read = plan.read(config, ["factors.batch_size=[1, 4]", "expect.steps=2"])
        stored = yaml.safe_load(yaml.safe_dump(dict(read.source)))
        assert plan.parse(stored, config) == read


class TestProblems:
    """Bad plans."""

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ({"repeets": 2}, "repeets: unknown key; did you mean repeats?"),
            ({"limits": {"steps": "3"}}, "limits.steps: expected a whole number, got '3'"),
            ({"limits": {"wall_seconds": 0}}, "limits.wall_seconds: must be at least 0.1, got 0"),
            ({"limits": {"wall_second": 1}}, "limits.wall_second: unknown key; did you mean wall_seconds?"),
            ({"limits": [1]}, "limits: expected a mapping, got [1]"),
            ({"sampling": {"interval_seconds": 0}}, "sampling.interval_seconds: must be at least 0.001, got 0"),
            ({"expect": {"steps": 0}}, "expect.steps: must be at least 1, got 0"),
            ({"inside_probes": "yes"}, "inside_probes: expected true or false, got 'yes'"),
            ({"factors": {"threads": []}}, "factors.threads: has no values, so the matrix would be empty"),
            ({"factors": {"threads": [0]}}, "factors.threads: 0 is not a number of threads"),
            ({"factors": {"threads": [True]}}, "factors.threads: True is not a number of threads"),
            ({"factors": {"threads": ["some"]}}, "factors.threads: 'some' is not a number of threads"),
            ({"factors": {"threads": [[1]]}}, "factors.threads: [1] cannot be one value of a factor"),
            ({"factors": {"threads": 2}}, "factors.threads: expected a list, got 2"),
            (
                {"factors": {"threads": [1]}, "baseline": {"threads": 3}},
                "baseline.threads: 3 is not among the factor's",
            ),
            ({"baseline": {"threads": 3}}, "baseline.threads: unknown key"),
            ({"plant": {"call": 2}}, "plant.module: is missing"),
            ({"plant": {"module": "m", "where": 1}}, "plant.where: unknown key"),
            ({"plant": True}, "plant: expected a mapping, got True"),
            ({"settings": {"a": 1}}, "settings.a: cannot be set: the target has no target.config"),
            ({"factors": {"a": [1]}}, "factors.a: cannot be set: the target has no target.config"),
            ({"name": 3}, "name: expected a text, got 3"),
        ],
    )
    def test_are_told_with_their_key_path(self, keys: dict[str, Any], expected: str) -> None:
        """The message of one problem begins with the path of its key."""
        assert [problem for problem in problems({**LEAST, **keys}) if problem.startswith(expected)] != []

    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            (None, "target: is missing"),
            ("train.py", "target: expected a mapping, got 'train.py'"),
            ({}, "target.command: is missing"),
            ({"command": "train.py"}, "target.command: expected a list, got 'train.py'"),
            ({"command": ["a", "{config}"], "config": "no.yaml"}, "target.config: there is no file no.yaml"),
            ({"command": ["a"], "prepare": {"creates": "x"}}, "target.prepare.command: is missing"),
            ({"command": ["a"], "comand": []}, "target.comand: unknown key; did you mean command?"),
        ],
    )
    def test_of_the_target(self, target: object, expected: str) -> None:
        """A target that cannot be launched is told what it lacks."""
        assert expected in problems({"target": target})

    def test_of_the_target_s_configuration(self, config: Path) -> None:
        """A setting or a factor that the configuration does not have is refused, dotted keys included."""
        bad = {"batch": 1, "model.width": 2}
        raw = with_config(settings={**bad, "batch_size": 1, "model.depth": 2, "empty": 3}, factors={"lr": [1]})
        words = f"cannot be set: {config.parent / 'config.yaml'} has no such key"
        expected = [f"settings.batch: {words}", f"settings.model.width: {words}", f"factors.lr: {words}"]
        assert expected == problems(raw, config)

    def test_configuration_must_have_a_place_in_the_command(self, config: Path) -> None:
        """A configuration that the command does not mention would be without effect."""
        raw = {"target": {"command": ["run.py"], "config": "config.yaml"}}
        assert problems(raw, config) == [
            "target.command: does not say where the configuration goes: put {config} into it"
        ]

    def test_come_all_at_once(self) -> None:
        """Six mistakes are six problems of one error."""
        raw = {
            "target": {"command": []}, "repeats": "x", "limits": {"steps": 0, "foo": 1}, "factors": {"threads": [0]},
            "sampling": {"interval_seconds": None, "pace": 1}, "unknown": 1,
        }  # fmt: skip
        told = problems(raw)
        keys = ("repeats", "limits.steps", "limits.foo", "factors.threads", "sampling.pace", "unknown")
        assert [key for key in keys if not any(problem.startswith(f"{key}: ") for problem in told)] == []
        assert len(told) == len(keys)
