"""forwards.jsonl -> timings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from record_folders import Records

from harness.facts.forward_timings import percentile, summary
from harness.model import ForwardTiming
from probes.records import FORWARDS


def row(
    event: str, t: float, module: str = "backbone", call: int = 1, step: int = 1, thread: int = 7
) -> dict[str, Any]:
    """Return one line of forwards.jsonl."""
    return {"t": t, "event": event, "module": module, "call": call, "step": step, "thread": thread}


class TestSummary:
    """Count, median, 95th percentile and unfinished calls."""

    def test_calls_are_told_apart(self, tmp_path: Path) -> None:
        """Two calls of one module have timings of their own, in the order of their first begin."""
        rows = [row("begin", 1), row("end", 2), row("begin", 3, call=2), row("end", 6, call=2)]
        rows += [row("begin", 7, step=2), row("end", 10, step=2), row("begin", 11, call=2, step=2)]
        assert summary(Records(tmp_path).lines(FORWARDS, rows).folder()) == (
            ForwardTiming("backbone", 1, 2, 0, 2, pytest.approx(2.9)), ForwardTiming("backbone", 2, 1, 1, 3, 3),
        )  # fmt: skip

    def test_call_that_never_ends_is_unfinished(self, tmp_path: Path) -> None:
        """A begin without an end has no time, and is counted."""
        rows = [row("begin", 1, "model"), row("begin", 2)]
        assert summary(Records(tmp_path).lines(FORWARDS, rows).folder()) == (
            ForwardTiming("model", 1, 0, 1, None, None), ForwardTiming("backbone", 1, 0, 1, None, None),
        )  # fmt: skip

    def test_threads_are_not_mixed(self, tmp_path: Path) -> None:
        """Two threads in the same module at once: each end belongs to its own thread's begin."""
        rows = [row("begin", 1), row("begin", 2, thread=8), row("end", 3), row("end", 12, thread=8)]
        timing = summary(Records(tmp_path).lines(FORWARDS, rows).folder())[0]
        assert (timing.count, timing.unfinished, timing.median_seconds) == (2, 0, 6)

    def test_end_without_begin_and_torn_tail_are_left_out(self, tmp_path: Path) -> None:
        """What cannot be matched gives no time; a torn line is never parsed."""
        folder = Records(tmp_path).lines(FORWARDS, [row("end", 1), row("begin", 2), row("end", 3)])
        with open(folder.path / FORWARDS, "a") as stream:
            stream.write('{"t":4,"event":"beg')
        assert [timing.count for timing in summary(folder.folder())] == [1]

    def test_nothing_seen_is_nothing(self, tmp_path: Path) -> None:
        """No file, no timings."""
        assert summary(Records(tmp_path).folder()) == ()


class TestPercentile:
    """Linear interpolation, type 7."""

    @pytest.mark.parametrize(
        ("values", "share", "expected"),
        [([5], 0.95, 5), ([1, 2], 0.5, 1.5), ([3, 1, 2], 0.0, 1), ([3, 1, 2], 1.0, 3), (range(1, 101), 0.95, 95.05)],
    )
    def test_known_values(self, values: list[float], share: float, expected: float) -> None:
        """As numpy.percentile gives them; the values need no order."""
        assert percentile(list(values), share) == pytest.approx(expected)
