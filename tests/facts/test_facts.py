"""Trial folder -> Trial: the point of death, facts with sources, gaps for what is missing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from record_folders import FINISHED, ID, Records

from harness.model import Source
from probes.records import EXITS, FORWARDS, GAPS, INSIDE, MEMORY, PYTHON_ERROR

ENTER_MODEL = ("enter", 0, "model", 2, 1, 1)
ENTER_FIRST, LEAVE_FIRST = ("enter", 1, "backbone", 2, 1, 1), ("leave", 1, "backbone", 2, 1, 1)
ENTER_SECOND = ("enter", 1, "backbone", 2, 2, 1)


class TestLastEvent:
    """The point of death in the model."""

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([("start",)], "start-up"),
            ([("start",), ("torch",)], "after import of torch"),
            ([("start",), ("data", 0, "", 3, 0, 1)], "data loading of step 3"),
            ([("batch", 0, "", 3, 0, 1)], "after data loading of step 3"),
            ([ENTER_MODEL], "model, call 1 of step 2"),
            ([ENTER_MODEL, ENTER_FIRST], "backbone, call 1 of step 2"),
            ([ENTER_MODEL, ENTER_FIRST, LEAVE_FIRST], "model, call 1 of step 2"),
            ([ENTER_MODEL, ENTER_FIRST, LEAVE_FIRST, ENTER_SECOND], "backbone, call 2 of step 2"),
            ([ENTER_MODEL, ("leave", 0, "model", 2, 1, 1)], "after forward of step 2"),
            ([("backward", 0, "", 2, 0, 1)], "backward of step 2"),
            ([("backward_end", 0, "", 2, 0, 1)], "after backward of step 2"),
            ([("optimizer", 0, "", 2, 0, 1)], "optimizer step of step 2"),
            ([("step", 0, "", 2, 0, 1)], "after optimizer step of step 2"),
            ([("end", 0, "", 2, 0, 1)], "finalization of step 2"),
        ],
    )
    def test_is_told_in_words(self, tmp_path: Path, rows: list[tuple[Any, ...]], expected: str) -> None:
        """The innermost module that was entered and not left, else the phase of the last record."""
        assert str(Records(tmp_path).exit().flight(*rows).read().last_event) == expected

    def test_has_its_parts(self, tmp_path: Path) -> None:
        """Epoch, step, phase, module and call as fields."""
        event = Records(tmp_path).exit().flight(ENTER_MODEL, ENTER_FIRST, LEAVE_FIRST, ENTER_SECOND).read().last_event
        assert event is not None
        assert (event.epoch, event.step, event.phase) == (1, 2, "forward")
        assert (event.module, event.call) == ("backbone", 2)

    def test_is_unknown_without_a_ring(self, tmp_path: Path) -> None:
        """A program that died before its first record has no last event."""
        trial = Records(tmp_path).exit(code=None, signal="SIGKILL").read()
        assert trial.last_event is None
        assert trial.signature is not None and trial.signature.point == "SIGKILL in unknown place"


class TestSignature:
    """What makes two deaths the same."""

    def test_has_how_and_where(self, tmp_path: Path) -> None:
        """Signal and point of death; the step is left out, since the same death may come at any step."""
        folder = Records(tmp_path).exit(code=None, signal="SIGSEGV").flight(ENTER_MODEL, ENTER_SECOND)
        signature = folder.read().signature
        assert signature is not None
        assert signature.point == "SIGSEGV in forward backbone#2"

    def test_of_a_hang(self, tmp_path: Path) -> None:
        """Our own SIGKILL is not how it died."""
        folder = Records(tmp_path).exit(code=None, signal="SIGKILL", ended_by="harness", limit="no progress")
        signature = folder.flight(("backward", 0, "", 2, 0, 1)).read().signature
        assert signature is not None and signature.point == "hang in backward"

    def test_is_for_failures_only(self, tmp_path: Path) -> None:
        """A completed trial has none."""
        assert Records(tmp_path).exit().calls(*FINISHED).read().signature is None


class TestFacts:
    """Typed values with their sources."""

    def test_of_torch(self, tmp_path: Path) -> None:
        """Version and thread counts as torch itself told them, of the first line that has them."""
        told = {"pid": 77, "event": "torch", "version": "2.9", "threads": 2, "interop_threads": 1}
        rows = [{"pid": 77, "event": "start"}, told, told]
        trial = Records(tmp_path).exit().lines(INSIDE, rows).read()
        assert (trial.value("torch_version"), trial.value("torch_threads")) == ("2.9", 2)
        fact = trial.fact("torch_interop_threads")
        assert fact is not None and fact.sources == (Source(f"trials/{ID}/inside.jsonl", 2),)
        assert [fact.name for fact in trial.facts].count("torch_version") == 1

    def test_of_errors_and_exits_cite_each_line(self, tmp_path: Path) -> None:
        """Two errors are two facts, each with its own line."""
        errors = [
            {"pid": 77, "type": kind, "message": "m", "thread": "t", "is_main": False, "traceback": ["..."]}
            for kind in ("KeyError", "ValueError")
        ]
        trial = Records(tmp_path).exit().lines(PYTHON_ERROR, errors).calls("os._exit", "atexit", code=4).read()
        found = [fact for fact in trial.facts if fact.name == "python_error"]
        assert [fact.value["type"] for fact in found] == ["KeyError", "ValueError"]
        assert [fact.sources[0].line for fact in found] == [1, 2]
        exits = [fact for fact in trial.facts if fact.name == "exit_call"]
        assert exits[0].value == {"call": "os._exit", "code": 4, "thread": "MainThread"}
        assert [fact.sources for fact in exits] == [(Source(f"trials/{ID}/{EXITS}", line),) for line in (1, 2)]

    def test_steps_done(self, tmp_path: Path) -> None:
        """The newest record's count; none without a ring."""
        assert Records(tmp_path / "a").exit().flight(("start",), ("step",), done=4).read().value("steps_done") == 4
        assert Records(tmp_path / "b").exit().read().value("steps_done") == 0


class TestGaps:
    """Evidence that is missing."""

    def test_are_told_by_both_sides(self, tmp_path: Path) -> None:
        """The supervisor's gaps, the child's gaps, and what is missing itself."""
        folder = Records(tmp_path).exit().lines(GAPS, [{"probe": "kernel log", "reason": "forbidden"}])
        folder.lines(INSIDE, [{"event": "gap", "probe": "optimizer steps", "reason": "old torch"}])
        gaps = {gap.probe: gap.reason for gap in folder.read().gaps}
        assert list(gaps) == ["kernel log", "optimizer steps", "forwards"]
        assert gaps["kernel log"] == "forbidden"

    @pytest.mark.parametrize("name", [MEMORY, FORWARDS, EXITS, INSIDE])
    def test_torn_lines(self, tmp_path: Path, name: str) -> None:
        """A record whose writer died in a line is read up to there, and the tear is a gap."""
        folder = Records(tmp_path).exit().text(name, '{"t":1,"event":"x","call":')
        assert name in [gap.probe for gap in folder.read().gaps]

    def test_empty_folder_is_read(self, tmp_path: Path) -> None:
        """A trial of which there is nothing but the folder is unresolved, and raises nothing."""
        os.makedirs(tmp_path / "trials" / ID)
        (tmp_path / "trials" / ID / "spec.json").unlink(missing_ok=True)
        trial = Records(tmp_path).read()
        assert (trial.outcome, trial.forwards, trial.peak_rss_bytes) == ("unresolved", (), None)
        assert {gap.probe for gap in trial.gaps} >= {"exit", "forwards"}
