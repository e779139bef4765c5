"""The system calls and errors of want: the kernel's filter for them, their numbers; and where there is no trace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from probes.outside.system import calls
from probes.outside.system.refusals import RefusalsProbe


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_condition_names_all_errors_once(machine: str) -> None:
    """The kernel's filter: each error, and EAGAIN only of calls that make processes or lock memory."""
    text = calls.condition(machine)
    assert [text.count(f"-{number} ") for number in (28, 12, 24, 23, 27, 122, 5, 116, 32)] == [1] * 9
    assert text.count("-11 &&") == 1
    assert f"id == {calls.names(machine) and {name: n for n, name in calls.names(machine).items()}['clone3']}" in text


def test_numbers_are_this_machine_s() -> None:
    """Against the kernel's own header, where it is installed."""
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    lines = {words[1]: words[2] for line in header.read_text().splitlines() if len(words := line.split()) == 3}
    assert all(lines[f"__NR_{name}"] == str(number) for number, name in calls.names("x86_64").items())


def test_other_systems_leave_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere there is no such trace, and that is said."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert "Linux only" in str(RefusalsProbe.missing())
