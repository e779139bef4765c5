"""What the kernel counts of memory around the observed process, about once a second, into pressure.jsonl.

Sources: smaps_rollup, status, limits, meminfo and vmstat in proc(5); the kernel's Documentation/accounting/psi.rst,
admin-guide/cgroup-v1/memory.rst and admin-guide/cgroup-v2.rst. The counters of OOM kills have their first value in the
row of the launch and their last in the row of the end: only the difference belongs to the trial.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from probes.outside.memory.control_group_limits import memory_groups
from probes.outside.memory.control_group_use import is_limited, use_of
from probes.outside.memory.smaps_rollup import Rollup
from probes.outside.probe import Probe, Watched
from probes.records import GAPS, PRESSURE, SPEC, Appender, append

PF_EXITING = 0x4  # include/linux/sched.h
STATUS = {
    "VmRSS": "rss_bytes", "VmHWM": "hwm_bytes", "RssFile": "file_bytes", "VmData": "data_bytes",
    "VmSwap": "swap_bytes", "VmSize": "vms_bytes",
}  # fmt: skip
MEMINFO = {
    "CommitLimit": "commit_limit_bytes", "Committed_AS": "committed_bytes",
    "SwapTotal": "swap_total_bytes", "SwapFree": "swap_free_bytes",
}  # fmt: skip
RLIMITS = {"Max data size": "RLIMIT_DATA", "Max address space": "RLIMIT_AS", "Max cpu time": "RLIMIT_CPU"}


class PressureProbe(Probe):
    """Samples PSS, swap, commit, control groups, OOM kills and memory stalls."""

    name = "memory pressure"

    def __init__(self, watched: Watched) -> None:
        """Open the record file and take the first values."""
        super().__init__(watched)
        self._process = Path(f"/proc/{watched.pid}")
        self._groups = _confining_group(watched.folder / SPEC)
        self._limits: dict[str, int | None] = {}
        self._told = False
        self._file = Appender(watched.folder / PRESSURE)
        self._rollup = Rollup()
        now = time.perf_counter()
        self.due = now + 0.25  # by then the child has entered its own control group
        self._append(now, at="start", overcommit=_text("/proc/sys/vm/overcommit_memory").strip())

    @classmethod
    def missing(cls) -> str | None:
        """Return why there is nothing to read on this system."""
        return None if sys.platform == "linux" else "PSS, control groups and OOM counters are read on Linux only"

    def sample(self, now: float) -> None:
        """Append one row; the costly part at its own pace."""
        self._append(now, **(self._pages() if now >= self._rollup.due else {}))

    def before_end(self, reason: str) -> bool:
        """Take everything once more while the process lives."""
        self._append(time.perf_counter(), at="before end", **self._pages())
        return False

    def close(self) -> None:
        """Append the last values; the process is dead, its control groups are still there."""
        self._append(time.perf_counter(), at="end")
        self._file.close()

    def _append(self, now: float, **more: Any) -> None:
        self._file.write({
            "t": round(now, 4), **more, **_sizes(f"{self._process}/status", STATUS), **self._rlimits(),
            **_sizes("/proc/meminfo", MEMINFO), "oom_kill_host": _counter("/proc/vmstat", "oom_kill"),
            "psi": dict(_psi(_text("/proc/pressure/memory"))), **self._uses(),
        })  # fmt: skip

    def _uses(self) -> dict[str, Any]:
        """Return the groups that the process is or was in, and those above that have a limit.

        `own` is left out where it cannot be told: a process that is ending is shown in the root (v1).
        """
        found = memory_groups(self._process / "cgroup")
        alive = not self._is_exiting()
        if alive:
            counted = [group for group in found if group == found[0] or is_limited(group)]
            self._groups += [group for group in counted if group not in self._groups]
        own = {"own": str(found[0])} if alive and found else {}
        return {**own, "groups": [use_of(group) for group in self._groups if group.is_dir()]}

    def _is_exiting(self) -> bool:
        flags = _text(f"{self._process}/stat").rpartition(") ")[2].split()[6:7]
        return not flags or bool(int(flags[0]) & PF_EXITING)

    def _rlimits(self) -> dict[str, Any]:
        """Return the process' own limits where they are new: the boot may set them."""
        lines = _text(f"{self._process}/limits").splitlines()
        softs = {RLIMITS[line[:25].strip()]: line[25:].split()[0] for line in lines if line[:25].strip() in RLIMITS}
        limits = {name: int(soft) if soft.isdigit() else None for name, soft in softs.items()}
        if not limits or limits == self._limits:
            return {}
        self._limits = limits
        return {"rlimits": limits}

    def _pages(self) -> dict[str, Any]:
        """Return PSS, USS and swap."""
        found, result = self._rollup.read([self.watched.pid])
        if result.code != 0:
            self._tell(result.stderr)
        return found

    def _tell(self, words: str) -> None:
        if not self._told and "denied" in words:
            self._told = True
            append(self.watched.folder / GAPS, {"probe": self.name, "reason": f"no PSS, no USS: {words.strip()}"})


def _sizes(path: str, names: dict[str, str]) -> dict[str, int]:
    return {names[key]: value for key, value in _kilobytes(_text(path).splitlines()) if key in names}


def _kilobytes(lines: Iterable[str]) -> Iterator[tuple[str, int]]:
    for line in lines:
        key, _, rest = line.partition(":")
        if rest.endswith(" kB"):
            yield key, int(rest.split()[0]) * 1024


def _counter(path: str, name: str) -> int | None:
    rows = (line.split() for line in _text(path).splitlines())
    return next((int(row[1]) for row in rows if row[0] == name), None)


def _psi(text: str) -> Iterator[tuple[str, float]]:
    """Yield some_avg10 (percent), some_total_seconds and the same of `full`."""
    for line in text.splitlines():
        kind, *pairs = line.split()
        values = dict(pair.split("=") for pair in pairs)
        yield f"{kind}_avg10", float(values["avg10"])
        yield f"{kind}_total_seconds", int(values["total"]) / 1e6


def _text(path: str) -> str:
    """Read one of the files of /proc that are there as long as the child is not reaped; "" on a kernel without it."""
    file = Path(path)
    return file.read_text(errors="replace") if file.exists() else ""


def _confining_group(spec: Path) -> list[Path]:
    """Return the group that is made for this trial: the child enters it after the first row."""
    confine = json.loads(spec.read_text()).get("confine") if spec.exists() else None
    return [Path(confine["cgroup_procs"]).parent] if confine and confine["cgroup_procs"] else []
