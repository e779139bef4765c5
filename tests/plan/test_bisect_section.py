"""The plan's `bisect` section: what is asked for, and every problem with its key path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.model import ConfigError
from harness.plan.bisect_section import NOTHING, Wishes
from harness.plan.plan_file import Plan, parse


def planned(folder: Path, bisect: Any, **keys: Any) -> Plan:
    """Return a plan with this section."""
    raw = {"target": {"command": ["a.py"], "factors": {"pairs": {"arg": "--pairs"}}}, "bisect": bisect, **keys}
    return parse(raw, folder / "plan.yaml")


def problems(folder: Path, bisect: Any) -> list[str]:
    """Return what is wrong with a section, without the plan's path."""
    with pytest.raises(ConfigError) as raised:
        planned(folder, bisect)
    return [problem.partition(": ")[2] for problem in raised.value.problems]


class TestRead:
    """What a section says."""

    def test_thresholds_and_place_are_searched_unless_told_otherwise(self, tmp_path: Path) -> None:
        """Absent, empty, false."""
        assert planned(tmp_path, None).bisect == planned(tmp_path, {}).bisect == Wishes()
        assert planned(tmp_path, False).bisect == NOTHING and NOTHING.is_empty
        assert planned(tmp_path, {"place": False}).bisect == Wishes(place=False)

    def test_difference(self, tmp_path: Path) -> None:
        """Files at the plan's folder; variables of a file as `env` prints them, and those of the plan on top."""
        (tmp_path / "good.yaml").write_text("lr: 0.1\n")
        (tmp_path / "good.env").write_text("A=1\nB=x=y\n# no\n")
        (tmp_path / "here.txt").write_text("torch==2.14.1\n")
        side = {"config": "good.yaml", "env_file": "good.env", "env": {"A": 2}, "cell": {"threads": 1}}
        raw = {"difference": {"survives": side, "packages": ["here.txt", "here.txt"]}}
        wish = planned(tmp_path, raw).bisect.difference
        assert wish is not None and wish.survives.config == tmp_path / "good.yaml"
        assert (dict(wish.survives.variables), wish.survives.cell) == ({"A": "2", "B": "x=y"}, (("threads", 1),))
        assert wish.packages == (tmp_path / "here.txt",) * 2 and wish.dies.config is None

    def test_samples(self, tmp_path: Path) -> None:
        """A file and the factor that takes it."""
        (tmp_path / "pairs.txt").write_text("a\n")
        wish = planned(
            tmp_path, {"samples": {"file": "pairs.txt", "factor": "pairs", "header_lines": 1}}
        ).bisect.samples
        assert wish is not None and (wish.file, wish.factor, wish.header_lines) == (tmp_path / "pairs.txt", "pairs", 1)


class TestProblems:
    """Nothing is started with a wish that cannot be fulfilled."""

    @pytest.mark.parametrize(
        ("section", "key", "words"),
        [
            ("yes", "bisect", "expected a mapping"),
            ({"treshold": 1}, "bisect.treshold", "unknown key"),
            ({"difference": {"dies": {}}}, "bisect.difference.survives", "is missing"),
            ({"difference": {"survives": {"config": "gone.yaml"}}}, "bisect.difference.survives.config", "no file"),
            ({"difference": {"survives": {}, "packages": ["a"]}}, "bisect.difference.packages", "expected two files"),
            ({"samples": {"file": "gone.txt", "factor": "pairs"}}, "bisect.samples.file", "no file"),
            ({"samples": {"factor": "pairs"}}, "bisect.samples.file", "is missing"),
        ],
    )  # fmt: skip
    def test_are_told_with_their_key(self, tmp_path: Path, section: Any, key: str, words: str) -> None:
        """One line, the path of the key in front."""
        found = problems(tmp_path, section)
        assert any(problem.startswith(f"{key}: ") and words in problem for problem in found), found

    def test_factor_without_a_way_is_refused_by_name(self, tmp_path: Path) -> None:
        """The target could not be given the shorter list."""
        (tmp_path / "pairs.txt").write_text("a\n")
        found = problems(tmp_path, {"samples": {"file": "pairs.txt", "factor": "list"}})
        assert len(found) == 1 and found[0].startswith("bisect.samples.factor.list: cannot be set")

    def test_toml_is_refused_for_differences(self, tmp_path: Path) -> None:
        """Keys cannot be taken out of it."""
        (tmp_path / "good.toml").write_text("lr = 1\n")
        found = problems(tmp_path, {"difference": {"survives": {"config": "good.toml"}}})
        assert len(found) == 1 and "are searched in .yaml or .yml or .json files" in found[0]
