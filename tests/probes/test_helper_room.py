"""A helper is started only where the limit of tasks leaves room for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.outside import helper_room


@pytest.mark.parametrize(("used", "has_room"), [(96, True), (97, False), (100, False)])
@pytest.mark.parametrize("line", ["8:pids:/job/step", "0::/job/step"])
def test_room_of_every_group_above(tmp_path: Path, line: str, used: int, has_room: bool) -> None:
    """The outer group's limit holds for the inner one."""
    base = tmp_path / "pids" if "pids" in line else tmp_path
    (base / "job" / "step").mkdir(parents=True)
    (base / "job" / "step" / "pids.max").write_text("max\n")
    (base / "job" / "pids.max").write_text("100\n")
    (base / "job" / "pids.current").write_text(f"{used}\n")
    (tmp_path / "cgroup").write_text(f"{line}\n")
    assert (helper_room.missing(tmp_path / "cgroup", tmp_path) is None) is has_room


def test_nothing_known_is_room(tmp_path: Path) -> None:
    """No file, no limit."""
    assert helper_room.missing(tmp_path / "none", tmp_path) is None
