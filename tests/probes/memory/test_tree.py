"""The sums over a real process tree."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from observing import observe

from probes import records

PARENT = """
import os, time
held = b"1" * (30 << 20)
if os.fork() == 0:
    own = b"2" * (40 << 20)
    time.sleep(60)
pid = os.getpid()
time.sleep(12)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="fork, and smaps_rollup")
def test_child_counts_and_what_is_shared_counts_once(tmp_path: Path) -> None:
    """PSS counts the inherited 30 MiB once, RSS twice; the sum cites its row."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    observed = observe(tmp_path, script, limits={"wall_seconds": 30})
    rows = [row for row in observed.rows(records.MEMORY) if "tree_pss_bytes" in row]
    rss, uss = (max(row[f"tree_{name}_bytes"] for row in rows) for name in ("rss", "uss"))
    pss = observed.trial.value("tree_peak_pss_bytes")
    assert (100 << 20) < rss < (200 << 20)
    assert rss - pss > 25 << 20 and 40 << 20 <= uss <= pss
    assert '"tree_pss_bytes"' in observed.cited("tree_peak_pss_bytes")


def test_process_alone_has_no_tree(tmp_path: Path) -> None:
    """Its own numbers are all there are."""
    script = tmp_path / "alone.py"
    script.write_text("import time\ntime.sleep(1.5)\n")
    observed = observe(tmp_path, script)
    assert observed.trial.fact("tree_peak_pss_bytes") is None
    assert observed.trial.fact("peak_rss_bytes") is not None
