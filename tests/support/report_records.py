"""Record files as real trials write them, for the samples of `report_samples`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.model import Evidence, Trial


def write_records(folder: Path, evidence: Evidence) -> None:
    """Write the records that the HTML report draws, for every trial."""
    for number, one in enumerate(evidence.trials):
        place = folder / "trials" / one.id
        place.mkdir(parents=True)
        start = 1000.0 + 20 * number
        (place / "spec.json").write_text(json.dumps({"started_monotonic": start}), encoding="utf-8")
        _write_lines(place / "memory.jsonl", _memory_rows(one, start))
        _write_lines(place / "forwards.jsonl", _forward_rows(one, start))


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _memory_rows(one: Trial, start: float) -> list[dict[str, Any]]:
    length = one.value("duration_seconds") or 1.0
    peak = one.peak_rss_bytes or 0
    times = [0.02 * step for step in range(int(length / 0.02))]
    return [{"t": start + t, "rss_bytes": _rss(t, length, peak), "vms_bytes": 3 * peak, "threads": 5} for t in times]


def _rss(time: float, length: float, peak: int) -> int:
    loaded = min(1.0, time / 0.9) ** 2 * 0.62
    wave = 0.38 * abs(((time * 1.7) % 2) - 1) if time > 0.9 else 0.0
    return int(peak * min(1.0, 0.01 + loaded + wave))


def _forward_rows(one: Trial, start: float) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    now = start + 1.0
    for timing in one.forwards:
        for step in range(1, timing.count + timing.unfinished + 1):
            same = {"module": timing.module, "call": timing.call, "step": step, "epoch": 1, "depth": 1, "thread": 7}
            rows.append({"t": now, "event": "begin", **same})
            now += (timing.median_seconds or 0.1) * (0.9 + 0.1 * step)
            rows += [{"t": now, "event": "end", **same}] if step <= timing.count else []
    return rows
