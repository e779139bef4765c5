"""What the probes of direct evidence cost a data loader that makes 10^5 system calls a second; needs root.

Usage: python tests/bench/tracing.py [--pairs 40]

One process reads small files: open, stat, seek, read, close, and as much work between that it makes about 10^5 calls a
second. Rounds with both probes on and with both off take turns, the first of each pair alternating: what slows this
machine slows both. Of the repeats in a round the quickest counts. Printed is the median of the pairs' ratios, of wall
time and of CPU time (on a machine that is busy the latter alone tells), for each means by which refusals can be seen
here, beside what the probes' opening and closing cost the supervisor.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from probes.outside.probe import Probe, Watched  # noqa: E402
from probes.outside.system import counter, refusals  # noqa: E402
from probes.outside.system.refusals import RefusalsProbe  # noqa: E402
from probes.outside.system.signals import SignalsProbe  # noqa: E402

CALLS_A_SECOND = 100_000
CALLS_A_SAMPLE = 7
SAMPLES = 300  # 2,100 calls, some 20 ms: short enough to be left alone now and then on a busy machine
ROUND = 10  # times that; the quickest of them counts
CALLS = CALLS_A_SAMPLE * SAMPLES
PROGRAM, TRACE = "program", "trace"  # RefusalsProbe.described
LOADER = f"""
import os, sys, time, zlib
folder, size = sys.argv[1], int(sys.argv[2])
data = os.urandom(size)
for number in range(64):
    with open(os.path.join(folder, str(number)), "wb") as stream:
        stream.write(os.urandom(4096))
paths = [os.path.join(folder, str(number)) for number in range(64)]
for _ in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range({SAMPLES}):
        descriptor = os.open(paths[number % 64], os.O_RDONLY)
        os.fstat(descriptor)
        os.lseek(descriptor, 0, 0)
        os.read(descriptor, 2048)
        os.read(descriptor, 4096)
        os.lseek(descriptor, 0, 1)
        os.close(descriptor)
        zlib.crc32(data)
    print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)
"""


class Loader:
    """The loader, which waits for each round to be asked for."""

    def __init__(self, folder: str, size: int) -> None:
        """Start it; `size` is the number of bytes that it works on for each sample."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOADER, folder, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Loader:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()

    def round(self) -> tuple[float, float]:
        """Return the least seconds of wall and of CPU time in which it read its samples."""
        times = [self._once() for _ in range(ROUND)]
        return min(wall for wall, _ in times), min(cpu for _, cpu in times)

    def _once(self) -> tuple[float, float]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        wall, cpu = self.process.stdout.readline().split()
        return float(wall), float(cpu)


def suitable_size() -> int:
    """Return how many bytes of work make it about 10^5 calls a second on this machine."""
    size, wanted = 0, CALLS / CALLS_A_SECOND
    for size in (number << 13 for number in range(64)):
        with tempfile.TemporaryDirectory() as folder, Loader(folder, size) as loader:
            if loader.round()[1] >= wanted:
                return size
    return size


def observed(loader: Loader, folder: Path, means: str) -> tuple[float, float]:
    """Return the times of a round with both probes on, the refusals seen by that means."""
    ready = vars(RefusalsProbe._ready)
    ready[RefusalsProbe.name] = refusals.traced(RefusalsProbe.name, "a bench") if means == TRACE else counter.Counter()
    watched = Watched(loader.process.pid, folder, 0.02, time.perf_counter())
    probes: list[Probe] = [RefusalsProbe(watched), SignalsProbe(watched)]
    found = loader.round()
    for probe in probes:
        probe.close()
    time.sleep(0.3)  # the instances are removed in the background
    return found


def pair(loader: Loader, folder: Path, means: str, is_first: bool) -> tuple[float, float]:
    """Return the ratios, of wall and of CPU time, of two rounds that follow each other, with and without the probes."""
    before = None if is_first else loader.round()
    on = observed(loader, folder, means)
    off = before or loader.round()
    return on[0] / off[0], on[1] / off[1]


def ratios(pairs: int) -> None:
    """Print the medians over the pairs, with the middle half of them."""
    size = suitable_size()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loader = stack.enter_context(Loader(str(folder), size))
        rate = CALLS / loader.round()[1]
        found: dict[str, list[tuple[float, float]]] = {means: [] for means in available()}
        for number in range(pairs):
            for means, rows in found.items():
                rows.append(pair(loader, folder, means, bool(number % 2)))
    for means, rows in found.items():
        for index, name in ((0, "wall"), (1, "CPU")):
            low, middle, high = statistics.quantiles((row[index] for row in rows), n=4)
            print(
                f"both probes, refusals by {means:7}: {name:4} time of a round at {rate:,.0f} calls/s: "
                f"ratio {middle:.4f}, middle half {low:.4f} to {high:.4f} (at most 1.02)"
            )


def available() -> list[str]:
    """Return by what means refusals can be seen here."""
    return [PROGRAM, TRACE] if counter.missing() is None else [TRACE]


def supervisor(repeats: int = 20) -> None:
    """Print what opening and closing take."""
    times: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, Loader(folder, 0) as loader:
        for _ in range(repeats):
            watched = Watched(loader.process.pid, Path(folder), 0.02, time.perf_counter())
            began = time.perf_counter()
            probes: list[Probe] = [RefusalsProbe(watched), SignalsProbe(watched)]
            opened = time.perf_counter()
            for probe in probes:
                probe.close()
            times.append((opened - began, time.perf_counter() - opened))
            time.sleep(0.3)
    opening, closing = (statistics.median(row[index] for row in times) * 1e3 for index in range(2))
    print(f"supervisor, both probes: opening {opening:.1f} ms, closing {closing:.1f} ms")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=40, help="pairs of rounds (default 40, about half a minute)")
    options = parser.parse_args()
    missing = RefusalsProbe.missing() or SignalsProbe.missing()
    if missing:
        sys.exit(missing)
    supervisor()
    ratios(options.pairs)


if __name__ == "__main__":
    main()
