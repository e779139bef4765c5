"""Numbers, times and foreign text as people read them."""

from __future__ import annotations

import unicodedata

KIB, MIB, GIB = 2**10, 2**20, 2**30
UNKNOWN = "unknown"


def size(amount: float | None) -> str:
    """Return bytes as e.g. "1.31 GiB"; "unknown" for None."""
    if amount is None:
        return UNKNOWN
    steps = ((2**40, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"))
    unit, name = next((step for step in steps if abs(amount) >= step[0]), (1, "B"))
    return f"{amount:.0f} B" if unit == 1 else f"{three_digits(amount / unit)} {name}"


def duration(seconds: float | None) -> str:
    """Return seconds as e.g. "84 ms", "12.3 s" or "3 min 05 s"; "unknown" for None."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.00995 else f"{three_digits(seconds * 1000)} ms"
    if seconds < 59.95:
        return f"{three_digits(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def factor(value: object) -> str:
    """Return a factor's value as people read it; None: the target was told none, and has its own."""
    return "its own" if value is None else str(value)


def percent(fraction: float | None) -> str:
    """Return a fraction of one as e.g. "12.5 %"; "unknown" for None."""
    return UNKNOWN if fraction is None else f"{three_digits(fraction * 100)} %"


def count(number: int, noun: str) -> str:
    """Return e.g. "1 trial" or "6 trials"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def moment(time: str | None) -> str:
    """Return an ISO 8601 time in UTC as "2026-01-02 10:11 UTC"; "unknown" for None."""
    return f"{time[:10]} {time[11:16]} UTC" if time else UNKNOWN


def measure(name: str, value: object) -> str:
    """Return a value in the unit that its name ends in (`_bytes`, `_seconds`), else as it is."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and name.endswith("_bytes"):
        return size(float(str(value)))
    return duration(float(str(value))) if is_number and name.endswith("_seconds") else str(value)


def printable(text: object) -> str:
    """Return text that no terminal, browser or XML reader trips over: control characters become their escapes.

    Records hold what the observed program wrote, colour codes and broken bytes included.
    """
    plain = str(text).replace("\r\n", "\n")
    return plain if plain.isprintable() else "".join(map(_visible, plain))


def three_digits(number: float) -> str:
    """Return a number with three significant digits, but never in powers of ten."""
    digits = 0 if abs(number) >= 99.95 else 1 if abs(number) >= 9.995 else 2
    return f"{number:.{digits}f}"


def _visible(letter: str) -> str:
    is_foreign = unicodedata.category(letter) in ("Cc", "Cs", "Cn") and letter not in "\n\t"
    return letter.encode("unicode_escape", "backslashreplace").decode() if is_foreign else letter
