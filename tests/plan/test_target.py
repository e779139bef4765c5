"""The plan's `target:` section: what it says, what is wrong with it, and how each factor reaches the target."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.launch import child_environment
from harness.launch import command as launching
from harness.launch.command import Values
from harness.model import ConfigError
from harness.plan import plan_file as plan
from harness.plan.target_section import Target, Way


def parse(folder: Path, target: dict[str, Any], **keys: Any) -> plan.Plan:
    """Return a plan in `folder` around a target."""
    return plan.parse({"target": target, **keys}, folder / "plan.yaml")


def problems(folder: Path, target: dict[str, Any], **keys: Any) -> list[str]:
    """Return what is wrong with such a plan, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        parse(folder, target, **keys)
    return [problem.removeprefix(f"{folder / 'plan.yaml'}: ") for problem in caught.value.problems]


def words(target: Target, **factors: Any) -> list[str]:
    """Return the command under factors."""
    return launching.command(target, Values(Path("trial"), {}, factors), None)


class TestSection:
    """What can stand in it."""

    def test_everything(self, tmp_path: Path) -> None:
        """Relative paths start at the plan's folder; a link to an interpreter stays one, as a venv's is."""
        (tmp_path / "project").mkdir()
        (tmp_path / "c.toml").write_text("[train]\nbatch = 8\n")
        (tmp_path / "python").symlink_to(sys.executable)
        read = parse(tmp_path, {
            "command": ["-u", "train.py", "{config}"], "python": "./python", "cwd": "project", "config": "c.toml",
            "env": {"A": 1, "B": True, "C": None, "D": "{trial}/d"},
            "factors": {"batch": {"config": "train.batch"}, "workers": {"arg": "--workers"}, "seed": {"env": "SEED"}},
        }, factors={"batch": [1, 8], "workers": [0, 2], "seed": [1]})  # fmt: skip
        target = read.target
        assert (target.python, target.cwd) == (str(tmp_path / "python"), tmp_path / "project")
        assert target.env == (("A", "1"), ("B", "true"), ("C", None), ("D", "{trial}/d"))
        assert target.ways("batch") == (Way("config", "train.batch"),)
        assert (target.ways("workers"), target.ways("seed")) == ((Way("arg", "--workers"),), (Way("env", "SEED"),))
        assert (target.ways("threads"), target.ways("train.batch")) == ((), (Way("config", "train.batch"),))

    def test_bare_python_is_looked_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As a shell does."""
        (tmp_path / "python3-of-theirs").symlink_to(sys.executable)
        monkeypatch.setenv("PATH", str(tmp_path))
        read = parse(tmp_path, {"command": ["x.py"], "python": "python3-of-theirs"})
        assert read.target.interpreter == str(tmp_path / "python3-of-theirs")

    def test_all_problems_come_at_once(self, tmp_path: Path) -> None:
        """Each with its key path, before anything is started."""
        told = problems(tmp_path, {
            "command": ["x.py"], "python": "./none", "cwd": "none", "env": {"1A": 1, "B": [1]}, "pyton": 1,
            "factors": {
                "a": {"arg": "batch"}, "b": {"env": "no name"}, "c": {"config": "x"}, "d": {}, "e": {"args": "--e"},
            },
        }, factors={"batch_size": [1, 8]}, settings={"lr": 1})  # fmt: skip
        assert told == [
            f"target.python: there is no Python {tmp_path / 'none'}",
            "target.env.1A: is not the name of an environment variable",
            "target.env.B: expected a text or a number, got [1]",
            "target.factors.a.arg: 'batch' is no option: expected e.g. --batch-size",
            "target.factors.b.env: 'no name' is not the name of an environment variable",
            "target.factors.d: does not say how it is set: give env: NAME, config: dotted.key or arg: --option",
            "target.factors.e.args: unknown key; did you mean arg?",
            "target.factors.e: does not say how it is set: give env: NAME, config: dotted.key or arg: --option",
            "target.pyton: unknown key; did you mean python?",
            f"target.cwd: there is no folder {tmp_path / 'none'}",
            "target.factors.c.config: cannot be set: the target has no target.config",
            "settings.lr: cannot be set: the target has no target.config; "
            "say how under target.factors.lr, e.g. {arg: --lr}, or {env: NAME}",
            "factors.batch_size: cannot be set: the target has no target.config; "
            "say how under target.factors.batch_size, e.g. {arg: --batch-size}, or {env: NAME}",
        ]

    def test_values_that_the_format_lacks_are_refused(self, tmp_path: Path) -> None:
        """TOML has no null."""
        (tmp_path / "c.toml").write_text("lr = 1\n")
        target = {"command": ["x.py", "{config}"], "config": "c.toml"}
        assert problems(tmp_path, target, factors={"lr": [1, None]}) == [
            f"factors.lr: cannot be set: {tmp_path / 'c.toml'} cannot hold None"
        ]


class TestArguments:
    """`arg: --option`."""

    @pytest.mark.parametrize(
        ("before", "value", "after"),
        [
            (["t.py"], 8, ["t.py", "--b", "8"]),
            (["t.py", "--b", "4", "x"], 8, ["t.py", "--b", "8", "x"]),
            (["t.py", "--b=4", "x"], 8, ["t.py", "--b", "8", "x"]),
            (["t.py", "--b", "-1"], 8, ["t.py", "--b", "8"]),
            (["t.py", "--b", "--c"], 8, ["t.py", "--b", "8", "--c"]),
            (["t.py", "--b", "1", "--b", "2"], 8, ["t.py", "--b", "1", "--b", "8"]),
            (["t.py", "--bb", "1"], 8, ["t.py", "--bb", "1", "--b", "8"]),
            (["t.py"], True, ["t.py", "--b"]),
            (["t.py", "--b", "x"], True, ["t.py", "--b", "x"]),
            (["t.py", "--b", "x"], False, ["t.py", "x"]),
            (["t.py", "--b", "4", "x"], None, ["t.py", "x"]),
            (["t.py"], False, ["t.py"]),
            (["t.py"], 0, ["t.py", "--b", "0"]),
            (["t.py"], 1e-05, ["t.py", "--b", "1e-05"]),
        ],
    )
    def test_is_replaced_or_added(self, before: list[str], value: Any, after: list[str]) -> None:
        """In its place where it stands there, else at the end; the last one counts."""
        assert words(Target(tuple(before), factors=(("b", (Way("arg", "--b"),)),)), b=value) == after

    def test_program_is_found_beside_the_interpreter(self, tmp_path: Path) -> None:
        """A console script's name is replaced by its path; a file of that name in the project is another one."""
        for name in ("python", "torchrun"):
            (tmp_path / name).write_text("")
        target = Target(("-u", "torchrun", "t.py"), python=str(tmp_path / "python"), cwd=tmp_path)
        assert words(target) == ["-u", "torchrun", "t.py"]
        (tmp_path / "project").mkdir()
        elsewhere = Target(("-u", "torchrun", "t.py"), python=str(tmp_path / "python"), cwd=tmp_path / "project")
        assert words(elsewhere) == ["-u", str(tmp_path / "torchrun"), "t.py"]


class TestEnvironment:
    """What the child finds in os.environ."""

    def test_layers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The caller's, then the target's own, the threads', the factors', an intervention's; None takes away."""
        monkeypatch.setenv("OURS", "1")
        monkeypatch.setenv("GONE", "1")
        ways = (("seed", (Way("env", "SEED"), Way("env", "OTHER_SEED"))),)
        target = Target(("t.py",), env=(("GONE", None), ("OMP_NUM_THREADS", "7"), ("D", "{trial}/d")), factors=ways)
        values = Values(tmp_path, {}, {"threads": 2, "seed": True})
        found = child_environment.environment(target, values, [("OURS", "2")])
        assert {name: found.get(name) for name in ("OURS", "GONE", "OMP_NUM_THREADS", "D", "SEED", "OTHER_SEED")} == {
            "OURS": "2", "GONE": None, "OMP_NUM_THREADS": "2", "D": f"{tmp_path}/d", "SEED": "true",
            "OTHER_SEED": "true",
        }  # fmt: skip
        assert found.keys() - os.environ.keys() >= {"D", "SEED"}

    def test_another_interpreter_s_environment_is_active(self, tmp_path: Path) -> None:
        """What it starts by name comes from there; a virtual environment says so, another Python says that none."""
        place = tmp_path / "env" / "bin" / "python"
        found = child_environment.activated(Target(("t.py",), python=str(place)))
        assert (found["PATH"] or "").split(os.pathsep)[0] == str(place.parent)
        assert found["VIRTUAL_ENV"] is None
        place.parent.mkdir(parents=True)
        (tmp_path / "env" / "pyvenv.cfg").write_text("")
        assert child_environment.activated(Target(("t.py",), python=str(place)))["VIRTUAL_ENV"] == str(tmp_path / "env")
        assert child_environment.activated(Target(("t.py",))) == {}


def test_configuration_is_copied_byte_for_byte(tmp_path: Path) -> None:
    """But for the values: comments, order and line ends stay, whatever an intervention would like to set."""
    (tmp_path / "c.yaml").write_bytes(b"# mine\r\nlr:   0.1  # why\r\nbatch: 8\r\nout: x\r\n")
    target = Target(("t.py", "{config}"), config=tmp_path / "c.yaml")
    (tmp_path / "trial").mkdir()
    values = Values(tmp_path / "trial", {"out": "{trial}/o"}, {"batch": 2, "threads": 1, "num_workers": 0})
    copy = launching.config_copy(target, values)
    assert copy is not None
    copy.write()
    written = copy.path
    assert written == tmp_path / "trial" / "config.yaml"
    assert written.read_bytes() == b"# mine\r\nlr:   0.1  # why\r\nbatch: 2\r\nout: %s/trial/o\r\n" % bytes(tmp_path)
