"""What observing costs: step time with all inside probes on and off, the supervisor's own CPU, the start of the CLI;
and what the probes of direct evidence cost a loader of 10^5 system calls a second, where permitted (tracing.py).

Usage: python tests/bench/overhead.py [--pairs 60]

Steps with and without the probes take turns in one process, on one thread, the first of each pair alternating: what
slows this machine slows both. The ratio is the median over the pairs; CPU time is shown beside it, as it is less noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import tracing  # noqa: E402

from harness.launch import trial  # noqa: E402
from harness.model import Cell  # noqa: E402
from harness.plan import plan_file as plan  # noqa: E402
from probes.outside.system.refusals import RefusalsProbe  # noqa: E402
from probes.outside.system.signals import SignalsProbe  # noqa: E402

STEPPER = ROOT / "tests" / "bench" / "stepper.py"
BOOT = ROOT / "probes" / "inside" / "boot.py"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
WARM_UP = 3


def inside_ratio(pairs: int) -> None:
    """Print step time with the inside probes on, off, and their ratio: the median over the pairs, warm-up left out."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.json"
        spec.write_text(json.dumps({"folder": folder, "threads": 1}))
        command = [sys.executable, str(BOOT), str(spec), "--", str(STEPPER), str(pairs + WARM_UP)]
        lines = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, check=True
        ).stdout.splitlines()
    rows = [[float(word) for word in line.split()] for line in lines[WARM_UP:]]
    for name, on, off in (("wall", 0, 2), ("CPU", 1, 3)):
        ratio = statistics.median(row[on] / row[off] for row in rows)
        median_on, median_off = (statistics.median(row[index] for row in rows) for index in (on, off))
        seconds = f"on {median_on:.4f} s, off {median_off:.4f} s"
        print(f"inside probes, {name:4} time of a step: {seconds}, ratio {ratio:.4f} (at most 1.01)", flush=True)


def supervisor_share(seconds: float) -> None:
    """Print the supervisor's own CPU time over a trial sampled every 20 ms, its tools included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "trial"
        script = Path(name) / "target.py"
        lines = (
            "import time, torch",
            f"end = time.time() + {seconds}",
            "while time.time() < end: torch.ones(64).sum()",
        )
        script.write_text("\n".join(lines))
        raw = {"target": {"command": [str(script)]}, "sampling": {"interval_seconds": 0.02}}
        request = trial.Request("bench/1", folder, Cell(()), plan.parse(raw, Path("bench.yaml")))
        before, wall = _cpu(), time.perf_counter()
        trial.run(request, lambda pulse: True)
        spent, wall = _cpu() - before, time.perf_counter() - wall
        record = json.loads((folder / "exit.json").read_text())
        own = spent - record["user_seconds"] - record["system_seconds"]
    print(f"supervisor: {own:.3f} s of CPU in {wall:.1f} s, {own / wall:.2%} of one core (at most 3 %)")


def _cpu() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def help_seconds(runs: int = 11) -> None:
    """Print how long `harness --help` takes, beside Python's own start."""
    commands = {"harness --help": ["-m", "harness", "--help"], "python -c pass": ["-c", "pass"]}
    for name, command in commands.items():
        times = [_time(command) for _ in range(runs)]
        print(f"{name}: {statistics.median(times):.3f} s" + (" (under 0.3 s)" if "help" in name else ""))


def _time(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - began


def main() -> None:
    """Run all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=60, help="pairs of steps (default 60, about a minute)")
    parser.add_argument("--seconds", type=float, default=30, help="length of the supervised trial")
    options = parser.parse_args()
    help_seconds()
    supervisor_share(options.seconds)
    inside_ratio(options.pairs)
    missing = RefusalsProbe.missing() or SignalsProbe.missing()
    if missing:
        print(f"probes of direct evidence: not measured, {missing}")
    else:
        tracing.ratios(options.pairs)


if __name__ == "__main__":
    main()
