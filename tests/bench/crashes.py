"""What a crash costs and what is known after it: `python tests/bench/crashes.py [COUNT]` (30, with torch, each ~4 s).

Prints the seconds from the fault to the whole evidence, and of how many crashes which evidence was had.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from observing import Observed, observe, victim  # noqa: E402

DEATHS = {
    "segv": "SIGSEGV", "segv_thread": "SIGSEGV", "pool": "SIGSEGV", "autograd": "SIGSEGV", "native": "SIGSEGV",
    "abort": "SIGABRT", "abort_thread": "SIGABRT", "double_free": "SIGABRT", "double_free_thread": "SIGABRT",
    "terminate": "SIGABRT", "fpe_torch": "SIGFPE", "bus": "SIGBUS", "ill": "SIGILL", "overflow": "SIGSEGV",
    "overflow_thread": "SIGSEGV", "together": "SIGSEGV", "race": "SIGSEGV",
}  # fmt: skip


def evidence(seen: Observed, signal: str) -> dict[str, Any]:
    """Return which evidence one crash left."""
    place = seen.folder / "native" / "main"
    fault = json.loads((place / "fault.json").read_text()) if (place / "fault.json").exists() else {}
    text = place / "torch_stacks.txt"
    stacks = text.read_text(errors="replace") if text.exists() else ""
    threads = (place / "threads.txt").read_text() if (place / "threads.txt").exists() else ""
    tids = {line.split("/")[4] for line in threads.splitlines() if line.startswith("/proc/")}
    thread = fault.get("thread", {})
    return {
        "faulting thread named": bool(thread.get("tid")) and bool(thread.get("name")),
        "its native frames": "frame #2" in stacks.partition(f"Thread {thread.get('tid')}: ")[2].partition("\n\n")[0],
        "all threads' native frames": bool(tids) and all(f"Thread {tid}: " in stacks for tid in tids),
        "true signal": seen.exit["signal"] == signal == fault.get("signal"),
        "seconds": fault.get("collected_after_seconds") or float("nan"),
        "noticed": fault.get("noticed_after_seconds") or float("nan"),
    }


def main(count: int) -> int:
    """Run the crashes in turn; 1 where any evidence is missing."""
    rows = []
    for number in range(count):
        name = list(DEATHS)[number % len(DEATHS)]
        with tempfile.TemporaryDirectory() as folder:
            row = evidence(observe(Path(folder), victim("hold_crash"), name, "torch"), DEATHS[name])
        rows.append(row)
        missing = [key for key, value in row.items() if value is False]
        print(f"{name:20} {row['noticed']:6.2f} {row['seconds']:6.2f} s  {', '.join(missing)}", flush=True)
    seconds = sorted(row["seconds"] for row in rows)
    print(f"median {statistics.median(seconds):.2f} s, 95 % within {seconds[int(0.95 * (count - 1))]:.2f} s")
    wanted = [key for key, value in rows[0].items() if isinstance(value, bool)]
    for key in wanted:
        print(f"{sum(row[key] for row in rows)} of {count}  {key}")
    return 0 if all(row[key] for row in rows for key in wanted) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 30))
