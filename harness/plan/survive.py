"""`survive: 40 forwards`: how long a trial must live to count as alive and well, without the target's cooperation."""

from __future__ import annotations

import dataclasses
import re

from harness.plan.checked_fields import (
    Fields,
)

TEXT = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>forwards?|steps?|seconds?|s|m|h)")
EXPECTED = "expected e.g. 40 forwards, 10 steps or 90 seconds"
SECONDS = {"s": 1, "m": 60, "h": 3600}
FIELDS = {"forwards": "forwards", "steps": "steps_done", "seconds": "seconds"}


@dataclasses.dataclass(frozen=True)
class Survive:
    """A trial that has done `number` forwards of whole models, optimizer steps or seconds has survived."""

    number: float
    unit: str

    @property
    def field(self) -> str:
        """The field of a pulse that is asked."""
        return FIELDS[self.unit]

    def __str__(self) -> str:
        """Return e.g. "40 forwards"."""
        return f"{self.number:g} {self.unit if self.number != 1 else self.unit[:-1]}"


def parse(fields: Fields) -> Survive | None:
    """Read the key `survive`; a problem goes to the fields."""
    value = fields.take("survive", object, None)
    found = TEXT.fullmatch(str(value).strip())
    if value is None or found is None:
        if value is not None:
            fields.problem("survive", f"{EXPECTED}, got {value!r}")
        return None
    unit, number = found["unit"], float(found["number"])
    if number <= 0 or (unit[0] in "f" and not number.is_integer()):
        fields.problem("survive", f"{EXPECTED}, got {value!r}")
        return None
    if unit in SECONDS:
        return Survive(number * SECONDS[unit], "seconds")
    return Survive(number, unit.rstrip("s") + "s")
