"""What a search costs and how often it is right, on simulated failures: `python tests/bench/search.py [--cases 50]`.

Per row `--cases` searches. *claimed*: isolated with a confidence of at least 0.95; *right*: the claimed ones that are
the whole truth. For the 6x6 matrix *repeats* is how many trials a surviving cell was given (mean, rounded up), *matrix*
is what all 36 cells cost at as many, and *share* is what the search took of it: at most a quarter is asked. *ideal* is
the share of a matrix that is told the rate and stops at an error of 5 % a cell, which no program can know beforehand.
For delta debugging of one cause *bound* is 2 log2(n) k, and *share* what the search took of it, without confirmation
and proof.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from math import ceil, log, log2
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "shrink" / "search")]

from simulated import RATES, SQUARE, Corners, Simulated, in_square, square_cell, with_sets  # noqa: E402

from harness.shrink.search.answers import Answer, Isolation  # noqa: E402
from harness.shrink.search.delta import delta  # noqa: E402
from harness.shrink.search.results import Minimal, Thresholds  # noqa: E402
from harness.shrink.search.thresholds import thresholds  # noqa: E402

SIZE = 64  # differences
GOAL_RIGHT, GOAL_SHARE, CLAIM = 0.97, 0.25, 0.95


def is_claimed(result: Thresholds | Minimal[int]) -> bool:
    """Whether a result claims to be right."""
    return result.isolation is Isolation.ISOLATED and result.confidence >= CLAIM


def repeats_of(result: Thresholds) -> int:
    """Return how many trials a surviving cell was given."""
    dead = {asked.subject for asked in result.trace if asked.answer is Answer.DIES}
    counts = Counter(asked.subject for asked in result.trace if asked.subject not in dead)
    return ceil(fmean(counts.values())) if counts else 1


def one_corner(rng: random.Random) -> Corners:
    """Return a cause of both factors."""
    return ((rng.randrange(6), rng.randrange(6)),)


def two_corners(rng: random.Random) -> Corners:
    """Return two causes, one in each factor."""
    return ((0, rng.randrange(1, 6)), (rng.randrange(1, 6), 0))


def matrix_row(make: Callable[[random.Random], Corners], rate: float, cases: int) -> dict[str, float]:
    """Search matrices of one kind at one rate."""
    rng = random.Random(1)
    claimed, right, used, full, repeats = 0, 0, 0, 0, []
    for case in range(cases):
        corners = make(rng)
        result = thresholds(square_cell((5, 5)), SQUARE, Simulated(in_square(corners, rate), case))
        claimed += is_claimed(result)
        right += is_claimed(result) and set(result.corners) == set(map(square_cell, corners))
        used, repeats = used + len(result.trace), [*repeats, repeats_of(result)]
        full += 36 * repeats[-1]
    told = 36 * cases * (ceil(log(0.05) / log(1 - rate)) if rate < 1 else 1)
    return {
        "claimed": claimed, "right": right, "trials": used / cases, "repeats": fmean(repeats), "matrix": full / cases,
        "share": used / full, "ideal": used / told,
    }  # fmt: skip


def delta_row(size: int, rate: float, cases: int) -> dict[str, float]:
    """Search sets of differences whose cause is `size` of them together."""
    rng = random.Random(2)
    claimed, right, used, bound, searched = 0, 0, 0, 0.0, 0
    for case in range(cases):
        cause = set(rng.sample(range(SIZE), size))
        result = delta(range(SIZE), Simulated(with_sets([cause], rate), case))
        claimed += is_claimed(result)
        right += is_claimed(result) and set(result.minimal) == cause
        used, bound = used + len(result.trace), bound + 2 * log2(SIZE) * result.repeats
        searched += sum(asked.question.startswith("do these") for asked in result.trace)
    row = {"claimed": claimed, "right": right, "trials": used / cases}
    return row | ({"bound": bound / cases, "share": searched / bound} if size == 1 else {})


def rows(cases: int) -> Iterator[tuple[str, float, dict[str, float]]]:
    """Yield a name, a rate and what was measured for each row."""
    for name, make in (("6x6, one corner", one_corner), ("6x6, two causes", two_corners)):
        yield from ((name, rate, matrix_row(make, rate, cases)) for rate in RATES)
    for size in (1, 2):
        yield from ((f"delta, {size} of {SIZE}", rate, delta_row(size, rate, cases)) for rate in RATES)


def line(name: str, rate: float, row: dict[str, Any], cases: int) -> str:
    """Return one row of the table."""
    words = [f"{name:16} rate {rate:<4}  claimed {row['claimed']:3} of {cases}  right {row['right']:3}"]
    numbers = {key: value for key, value in row.items() if key not in ("claimed", "right")}
    shares = ("share", "ideal")
    return "  ".join(
        words + [f"{key} {value:7.1%}" if key in shares else f"{key} {value:6.1f}" for key, value in numbers.items()]
    )


def main() -> int:
    """Print the table and the two goals; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=50, help="searches per row (default 50; 800 in all, seconds)")
    cases = parser.parse_args().cases
    began, seen = time.perf_counter(), []
    for name, rate, row in rows(cases):
        seen.append((name, row))
        print(line(name, rate, row, cases), flush=True)
    claimed, right = (sum(row[key] for _, row in seen) for key in ("claimed", "right"))
    squares = [row for name, row in seen if name.startswith("6x6")]
    share = sum(row["trials"] for row in squares) / sum(row["matrix"] for row in squares)
    worst = max(row["share"] for row in squares)
    print(f"{len(seen) * cases} searches in {time.perf_counter() - began:.0f} s")
    print(f"right where claimed: {right / claimed:.1%} (at least {GOAL_RIGHT:.0%})")
    print(f"of the full matrix's trials: {share:.1%}, the worst row {worst:.1%} (at most {GOAL_SHARE:.0%})")
    return 0 if right >= GOAL_RIGHT * claimed and worst <= GOAL_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
