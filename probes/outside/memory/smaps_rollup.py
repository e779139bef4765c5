"""PSS and USS of one process or many, from smaps_rollup (proc(5)): the kernel walks all pages for it, which is costly.

It is read by a tool of its own, as a process may vanish in the middle of it; the pace adapts to what it costs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from probes.outside.probe import ToolResult, run_tool

SECONDS = 2.0
SHARE = 0.005  # of the time may go to it: 20 ms make it wait for 4 s
NAMES = {"Pss": "pss_bytes", "SwapPss": "swap_pss_bytes"}


class Rollup:
    """Reads at its own pace: `due` is when it may be read again, on the clock of time.perf_counter()."""

    def __init__(self, first_after_seconds: float = SECONDS / 4) -> None:
        """Set when it is first due."""
        self.due = time.perf_counter() + first_after_seconds

    def read(self, pids: Iterable[int]) -> tuple[dict[str, float], ToolResult]:
        """Return the sums over these processes with how long it took, and what the tool said; those gone are left out.

        Empty where nothing could be read.
        """
        before = time.perf_counter()
        result = run_tool(["cat", *(f"/proc/{pid}/smaps_rollup" for pid in pids)])
        took = time.perf_counter() - before
        self.due = before + max(SECONDS, took / SHARE)
        found = sums(result.stdout)
        return ({**found, "rollup_seconds": round(took, 5)} if found else {}), result


def sums(text: str) -> dict[str, int]:
    """Return PSS, swap, and USS (what would be freed at the end: the private pages), summed over rollups, in bytes."""
    totals: dict[str, int] = {}
    for line in text.splitlines():
        key, _, rest = line.partition(":")
        if rest.endswith(" kB"):
            totals[key] = totals.get(key, 0) + int(rest.split()[0]) * 1024
    if "Pss" not in totals:
        return {}
    uss = totals.get("Private_Clean", 0) + totals.get("Private_Dirty", 0)
    return {**{name: totals[key] for key, name in NAMES.items() if key in totals}, "uss_bytes": uss}
