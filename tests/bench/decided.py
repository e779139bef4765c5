"""Trials and seconds to a verdict, with the witnesses of the kernel and without: `python tests/bench/decided.py`.

Each planted fault runs twice through its little inquest (harness/controls/run.py): as it is, and with the probes for
refused system calls and for senders of signals switched off. One at a time, on one machine, in one run. *named* is the
verdict's cause, or `open`. Where the machine does not permit the witnesses, both columns are the same.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from harness.controls import reuse  # noqa: E402
from harness.controls.store import RESULT  # noqa: E402
from harness.facts import proven  # noqa: E402
from probes import records  # noqa: E402

CAUSES = (
    "sigkill", "sigterm", "worker-killed", "disk-full", "thread-refused", "cpu-limit", "file-limit", "oom-kill",
    "os-exit", "exception", "segv-main", "lock-order",
)  # fmt: skip
OFF = """
import sys
from probes.outside.system.refusals import RefusalsProbe
from probes.outside.system.signals import SignalsProbe
for kind in (RefusalsProbe, SignalsProbe):
    kind.missing = classmethod(lambda cls: "switched off to be measured without")
from harness.controls.run import main
sys.exit(main(sys.argv[1:]))
"""
WITH = [sys.executable, "-m", "harness.controls.run"]
WITHOUT = [sys.executable, "-c", OFF]
MOST_SECONDS = 200.0


def measure(cause: str, command: list[str], known: Path, folder: Path) -> tuple[int, float, str]:
    """Return trials, seconds and the cause that was named ("open" for none) of one little inquest."""
    folder.mkdir(parents=True)
    (folder / proven.NAME).write_bytes(known.read_bytes())
    subprocess.run([*command, cause, str(folder), "full"], cwd=ROOT, timeout=MOST_SECONDS, check=True)
    row = records.read_json(folder / RESULT) or {}
    return row["trials"], row["seconds"], row["named"] or "open"


def main() -> int:
    """Print a line a cause, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("causes", nargs="*", default=list(CAUSES), help="ids of controls (default: twelve)")
    causes = parser.parse_args().causes
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        reuse.quick(out, print, lambda: True)
        print(f"{'cause':<16} {'with the witnesses':^32} {'without':^32}")
        sums = [0, 0.0, 0, 0.0]
        for cause in causes:
            known = out / proven.NAME
            seen = [measure(cause, way, known, out / f"{cause}-{number}") for number, way in enumerate((WITH, WITHOUT))]
            words = (f"{trials:>3} trials {seconds:>6.1f} s {named:<17}" for trials, seconds, named in seen)
            print(f"{cause:<16} {'  '.join(words)}", flush=True)
            sums = [before + more for before, more in zip(sums, (*seen[0][:2], *seen[1][:2]), strict=True)]
        print(f"{'all':<16} {sums[0]:>3} trials {sums[1]:>6.1f} s {'':<17}  {sums[2]:>3} trials {sums[3]:>6.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
