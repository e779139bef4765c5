"""Signals by name and by number, those without a name (real-time ones) included; pure."""

from __future__ import annotations

import signal


def signal_number(name: str) -> int:
    """Return 11 for "SIGSEGV"; the inverse of `signal_name`."""
    known = {member.name: member.value for member in signal.Signals}
    return known[name] if name in known else int(name.split()[-1])


def signal_name(number: int | None) -> str | None:
    """Return "SIGSEGV" for 11; the bare number for a signal without a name (real-time signals)."""
    known = {member.value: member.name for member in signal.Signals}
    return None if number is None else known.get(number, f"signal {number}")
