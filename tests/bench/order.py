"""Time to a verdict, as trials are ordered now and by the fixed order before: `python tests/bench/order.py`.

Whole inquests are simulated (tests/support/simulated_inquests.py), each target the same number of times under both
orders, with the same outcome of the n-th trial of each kind. *watched*: as now, where system calls are followed, and
memory can be ruled out without the ladder. *verdict* is when the last verdict was first reached and
kept, *end* when nothing more was asked; seconds, median and 90th percentile. *named* is the share of inquests whose
cause is named at the end, *in budget* after the budget, *wrong* the share that ever would have named another. In the
sums each target counts as often as there are planted controls that it stands for.
"""

from __future__ import annotations

import argparse
import functools
import random
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import fixed_order  # noqa: E402
from simulated_inquests import SHOWN, TRUTHS, Moment, Order, Truth, at, reached, run, watched  # noqa: E402

from harness.decide import next_trial  # noqa: E402

WATCHED = "watched"
ORDERS: tuple[tuple[str, Order], ...] = (
    ("fixed", fixed_order.next_step),
    ("weighed", next_trial.next_step),
    (WATCHED, functools.partial(next_trial.next_step, controls=(SHOWN,))),
)
Runs = list[tuple[Truth, list[Moment]]]


def line(name: str, runs: Runs, budget: float) -> str:
    """Return a row: what was named, how fast."""
    verdicts, ends = [reached(one).seconds for _, one in runs], [one[-1].seconds for _, one in runs]
    named = statistics.mean(one[-1].cause is not None for _, one in runs)
    within = statistics.mean(at(one, budget) is not None for _, one in runs)
    wrong = statistics.mean(any(m.cause not in (None, *truth.families) for m in one) for truth, one in runs)
    trials = statistics.median(one[-1].trials for _, one in runs)
    return f"{name:<32} {spread(verdicts)}  {spread(ends)}  {trials:>6.0f} {named:>6.0%} {within:>9.0%} {wrong:>6.1%}"


def spread(seconds: list[float]) -> str:
    """Return median and 90th percentile."""
    tenths = statistics.quantiles(seconds, n=10, method="inclusive") if len(seconds) > 1 else seconds * 9
    return f"{statistics.median(seconds):>6.0f} {tenths[-1]:>6.0f}"


def main() -> int:
    """Print a row a target and order, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="inquests of each target that has chance in it")
    parser.add_argument("--budget", type=float, default=300.0, help="seconds")
    asked = parser.parse_args()
    print(f"{'':<32} {'verdict, s':^13}  {'end, s':^13}  {'trials':>6} {'named':>6} {'in budget':>9} {'wrong':>6}")
    all_runs: dict[str, Runs] = {name: [] for name, _ in ORDERS}
    for truth in TRUTHS:
        times = asked.times if truth.rate < 1 or truth.also else 1
        for name, order in ORDERS:
            seen = watched(truth) if name == WATCHED else truth
            runs = [(truth, run(seen, order, random.Random(seed))) for seed in range(times)]
            all_runs[name] += runs * (truth.weight * asked.times // times)  # without chance one stands for all
            print(line(f"{truth.id}, {name}", runs, asked.budget), flush=True)
    for name, runs in all_runs.items():
        print(line(f"all, {name}", runs, asked.budget))
    return 0


if __name__ == "__main__":
    sys.exit(main())
