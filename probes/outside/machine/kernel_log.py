"""The kernel's log lines since the trial began, into kernel.jsonl: Linux's event log of faults and OOM kills.

Read with dmesg(1). A machine that does not show it leaves a Gap, which is not the same as an empty log.
"""

from __future__ import annotations

import re
import sys

from probes.outside.probe import Probe, Watched, run_tool
from probes.records import KERNEL, Appender

LINE = re.compile(r"^<(?P<level>\d+)>\[\s*(?P<seconds>\d+\.\d+)\]\s?(?P<text>.*)$")


class KernelProbe(Probe):
    """Reads the log once, at the end of the trial."""

    name = "kernel log"

    def __init__(self, watched: Watched) -> None:
        """Note the kernel's clock."""
        super().__init__(watched)
        self.interval_seconds = float("inf")
        self.due = float("inf")

    @classmethod
    def missing(cls) -> str | None:
        """Return dmesg's own words where it may not read the log."""
        if sys.platform != "linux":
            return "there is no kernel log to read on this system"
        result = run_tool(["dmesg", "--raw"])
        return None if result.code == 0 else f"dmesg: {result.stderr.strip()}"

    def close(self) -> None:
        """Append the lines whose time stamp lies within the trial; a second's grace, as printk's clock drifts."""
        since = self.watched.started - 1.0
        matches = (LINE.match(line) for line in run_tool(["dmesg", "--raw"]).stdout.splitlines())
        with Appender(self.watched.folder / KERNEL) as file:
            for match in matches:
                if match and float(match["seconds"]) >= since:
                    file.write({"t": float(match["seconds"]), "level": int(match["level"]), "text": match["text"]})
