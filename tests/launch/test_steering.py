"""What steers threads is told twice, in two processes that share no code: the two lists must be one."""

from __future__ import annotations

from harness.launch import (
    environment_record,
)
from probes.inside import steering


def test_the_supervisor_and_the_child_look_at_the_same_variables() -> None:
    """The supervisor also tells of Python's own, which the child has already obeyed."""
    assert (*steering.PREFIXES, "PYTHON") == environment_record.STEERING
