"""A memory limit as a factor of the plan: a real limit, whatever the target knows of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from observing import observe

from harness.model import ConfigError
from harness.plan.plan_file import parse

MIB = 1 << 20
TOUCHES = "held = [b'1' * (8 << 20) for _ in range(40)]\nprint(len(held))\n"


@pytest.mark.skipif(sys.platform != "linux", reason="limits are set on Linux")
@pytest.mark.parametrize(("limit", "outcome"), [(1024 * MIB, "completed"), (120 * MIB, "died")])
def test_limit_of_the_cell_holds(tmp_path: Path, limit: int, outcome: str) -> None:
    """320 MiB live under a gibibyte and die under 120 MiB; the child confirmed the limit."""
    script = tmp_path / "touches.py"
    script.write_text(TOUCHES)
    observed = observe(tmp_path, script, factors={"memory_limit_bytes": [limit]})
    confined = observed.trial.value("confinement")
    assert (observed.trial.outcome, confined["limit_bytes"], confined["applied"]) == (outcome, limit, True)


@pytest.mark.parametrize("value", [0, -1, "all", 1.5, True])
def test_anything_but_bytes_is_refused_by_name(tmp_path: Path, value: object) -> None:
    """Before anything is started."""
    raw = {"target": {"command": ["a.py"]}, "factors": {"memory_limit_bytes": [value]}}
    with pytest.raises(ConfigError) as raised:
        parse(raw, tmp_path / "plan.yaml")
    assert "factors.memory_limit_bytes" in raised.value.problems[0]
