"""From the severity of faults to the preference of people."""

import math
import random
from collections.abc import Sequence

# At this strength two neighbouring takes of a series (a quarter apart) give 0.78, about the agreement that people
# show on real series.
STRENGTH = 5.0
DECIMALS = 3


def preference(severity_1: float, severity_2: float) -> float:
    """The share of people, 0 to 1 in thousandths, who prefer photo 1 (Bradley and Terry, 1952).

    The worth of a photo falls exponentially with its severity. A tie, 0.5, comes from nearly equal severities only.
    """
    return round(1 / (1 + math.exp(STRENGTH * (severity_1 - severity_2))), DECIMALS)


def ranks(severities: Sequence[float]) -> list[int]:
    """The rank of each photo in its series; 1 is the best, that with the least severe fault."""
    order = sorted(range(len(severities)), key=lambda place: (severities[place], place))
    return [order.index(place) + 1 for place in range(len(severities))]


def graded_severities(takes: int, rng: random.Random) -> list[float]:
    """Severities from 0 (no fault) to 1, roughly evenly graded, in random order."""
    worst = rng.uniform(0.5, 0.95)
    step = worst / (takes - 1)
    graded = [(place + rng.uniform(-0.25, 0.25)) * step for place in range(takes)]
    severities = [min(1.0, max(0.0, severity)) for severity in graded]
    rng.shuffle(severities)
    return severities
