"""The outside probes on Windows, with real processes; skipped elsewhere, as `test_windows_verbs.py` is."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from harness.launch.process import Child, Launch
from probes import records
from probes.outside import PROBES, Probe, Watched

if sys.platform != "win32":
    pytest.skip("needs Windows", allow_module_level=True)

from harness.launch import windows

SECONDS = 30.0


def start(folder: Path, code: str) -> Child:
    """Start a child that runs a few lines of Python."""
    command = [sys.executable, "-c", code]
    return windows.start(Launch(command, dict(os.environ), folder, folder / "stdout.log", folder / "stderr.log"))


def open_probes(child: Child, folder: Path) -> list[Probe]:
    """Open every probe that works here."""
    watched = Watched(child.pid, folder, 0.01, time.perf_counter())
    return [kind(watched) for kind in PROBES if kind.missing() is None]


def sample(probes: list[Probe]) -> None:
    """Sample each probe once."""
    for probe in probes:
        probe.sample(time.perf_counter())


def finish(child: Child, probes: list[Probe]) -> None:
    """End, sweep, close and reap, in the order of a trial."""
    windows.sweep(child)
    for probe in probes:
        probe.close()
    windows.reap(child)


def test_a_living_process_is_sampled(tmp_path: Path) -> None:
    """Memory, tree, threads and libraries."""
    child = start(
        tmp_path, "import time; block = bytearray(b'x') * (32 << 20); print('.', flush=True); time.sleep(600)"
    )
    deadline = time.monotonic() + SECONDS
    while not (tmp_path / "stdout.log").stat().st_size and time.monotonic() < deadline:
        time.sleep(0.01)
    probes = open_probes(child, tmp_path)
    sample(probes)
    finish(child, probes)
    own, tree = (row.value for row in records.read_lines(tmp_path / records.MEMORY).rows)
    assert own["rss_bytes"] > 32 << 20
    assert own["threads"] >= 1
    assert tree["processes"] == 1
    assert tree["commit_available_bytes"] > 0
    assert records.read_lines(tmp_path / records.THREADS).rows[0].value["count"] == own["threads"]
    assert "python3" in (tmp_path / records.MAPS).read_text(encoding="utf-8").lower()


def test_a_process_that_has_ended_gives_no_error(tmp_path: Path) -> None:
    """Neither at the opening of a probe, nor at a sample, nor at its close."""
    child = start(tmp_path, "pass")
    deadline = time.monotonic() + SECONDS
    while not windows.has_ended(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    probes = open_probes(child, tmp_path)
    sample(probes)
    finish(child, probes)
    assert not [row for row in records.read_lines(tmp_path / records.MEMORY).rows if "rss_bytes" in row.value]


def test_a_death_between_two_samples_gives_no_error(tmp_path: Path) -> None:
    """The process dies at any instant while it is sampled as fast as can be."""
    child = start(tmp_path, "import time; time.sleep(0.5)")
    probes = open_probes(child, tmp_path)
    while not windows.has_ended(child):
        sample(probes)
    sample(probes)
    finish(child, probes)
