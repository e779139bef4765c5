"""What counts as proven, wrong and good enough; the confusion matrix; controls.json and when it may be used again."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from harness import controls
from harness.controls import catalogue, reuse, score, store
from harness.controls.catalogue import Planted
from harness.controls.score import Score
from harness.decide.hypotheses import HYPOTHESES
from harness.facts import proven
from harness.model import (
    Cell,
    Control,
    EndedBy,
    Evidence,
    Exit,
    Finding,
    Outcome,
    Status,
    Trial,
    Verdict,
    VerdictStatus,
)
from probes import records

FAULT = Planted("fault", "native-fault", "segv_main", also=("hang",))
HEALTHY = Planted("healthy", None, "exit_zero")


def evidence(cause: str | None = None, failed: bool = True, **statuses: Status) -> Evidence:
    """Return evidence with these findings (`native_fault=...`), the rest open."""
    outcome = Outcome.DIED if failed else Outcome.COMPLETED
    exit_ = Exit(None, "SIGSEGV", None, "died", EndedBy.ITSELF)
    trial = Trial("as-is/1", Cell(()), (), outcome, exit_, None, None, (), None, (), ())
    known = {name.replace("_", "-"): status for name, status in statuses.items()}
    findings = tuple(Finding(it.ID, known.get(it.ID, Status.OPEN), ()) for it in HYPOTHESES)
    named = VerdictStatus.NAMED if cause else VerdictStatus.OPEN if failed else VerdictStatus.NO_FAILURE
    return Evidence({}, {}, (trial,), findings, Verdict(named, cause, ""))


def told(found: Score) -> dict[str, Any]:
    """Return the parts that are compared."""
    return {name: getattr(found, name) for name in ("observed", "proven", "status", "named", "wrong")}


@pytest.mark.parametrize(
    ("planted", "seen", "expected"),
    [
        (FAULT, evidence(native_fault=Status.SUPPORTED), ("native-fault", True, "supported", None, False)),
        (FAULT, evidence("native-fault", native_fault=Status.ESTABLISHED),
         ("native-fault", True, "established", "native-fault", False)),
        (FAULT, evidence(), ("memory-exhaustion", False, "open", None, False)),
        (FAULT, evidence(native_fault=Status.SUPPORTED, io_fault=Status.SUPPORTED),
         ("io-fault", False, "supported", None, False)),
        (FAULT, evidence(native_fault=Status.SUPPORTED, hang=Status.ESTABLISHED),
         ("native-fault", True, "supported", None, False)),
        (FAULT, evidence(native_fault=Status.ESTABLISHED, io_fault=Status.ESTABLISHED),
         ("io-fault", False, "established", None, True)),
        (FAULT, evidence("io-fault", io_fault=Status.ESTABLISHED), ("io-fault", False, "open", "io-fault", True)),
        (FAULT, evidence(failed=False), ("no-failure", False, "open", None, False)),
        (HEALTHY, evidence(failed=False), ("no-failure", True, "no-failure", None, False)),
        (HEALTHY, evidence(hang=Status.SUPPORTED), ("hang", False, "open", None, True)),
    ],
)  # fmt: skip
def test_compares_with_what_was_planted(planted: Planted, seen: Evidence, expected: tuple[Any, ...]) -> None:
    """Also true families do not count against; a wrong one that is named or established does."""
    names = ("observed", "proven", "status", "named", "wrong")
    assert told(score.of(planted, seen)) == dict(zip(names, expected, strict=True))


def row(name: str, expected: str, observed: str, **more: Any) -> Score:
    """Return a score, proven where it saw what it should."""
    return Score(name, expected, observed, expected == observed, **more)


ROWS = [
    row("a", "hang", "hang", status="established"),
    row("b", "hang", "hang", status="established", seen=("memory refused",)),
    row("c", "io-fault", "hang", status="open"),
    row("d", "io-fault", "not run", missing="no disk"),
    row("e", "no-failure", "no-failure"),
]


def test_confusion_matrix() -> None:
    """What was not run is not in it."""
    assert score.confusion(ROWS) == {("hang", "hang"): 2, ("io-fault", "hang"): 1, ("no-failure", "no-failure"): 1}


@pytest.mark.parametrize(
    ("rows", "quick", "good"),
    [
        (ROWS, False, False),
        (ROWS[:2] + ROWS[3:], False, True),
        ([row("a", "hang", "hang", status="supported")], False, False),
        ([row("a", "hang", "hang", status="supported")], True, True),
        ([*ROWS[:2], row("e", "no-failure", "hang", wrong=True)], True, False),
        ([*ROWS[:2], row("f", "hang", "hang", status="established", wrong=True)], False, False),
    ],
)
def test_good_enough(rows: list[Score], quick: bool, good: bool) -> None:
    """No wrong name, all proven, and in full nearly all established."""
    assert score.is_good(rows, quick) is good


class TestStore:
    """controls.json."""

    def test_round_trip(self, tmp_path: Path) -> None:
        """The judge gets those that ran; the rest of the row is there for people."""
        path = tmp_path / proven.NAME
        store.save(path, ROWS, quick=True)
        assert proven.load(path) == tuple(
            Control(it.id, it.expected, it.observed, it.proven, it.seen) for it in ROWS if it.missing is None
        )
        saved = records.read_json(path)
        assert saved is not None
        assert (saved["schema"], saved["quick"], saved["machine"]) == (store.SCHEMA, True, store.fingerprint())
        assert [score.from_row(it) for it in saved["controls"]] == ROWS

    def test_no_file_is_no_control(self, tmp_path: Path) -> None:
        """Nothing is proven then."""
        assert proven.load(tmp_path / proven.NAME) == ()
        assert not store.holds(tmp_path / proven.NAME, [])

    @pytest.mark.parametrize(
        ("change", "holds"),
        [
            ({}, True),
            ({"written": "2020-01-01T00:00:00+00:00"}, False),
            ({"written": "2999-01-01T00:00:00+00:00"}, False),
            ({"machine": {"cpus": 0}}, False),
            ({"schema": "inquest/controls/0"}, False),
            ({"controls": []}, False),
        ],
    )
    def test_holds_for_a_day_on_the_same_machine(self, tmp_path: Path, change: dict[str, Any], holds: bool) -> None:
        """Other versions, another machine or user: run again."""
        path = tmp_path / proven.NAME
        store.save(path, ROWS, quick=True)
        records.write_json(path, {**(records.read_json(path) or {}), **change})
        assert store.holds(path, ["a", "d"]) is holds

    def test_quick_reuses_what_holds(self, tmp_path: Path) -> None:
        """Nothing is run, nothing is said."""
        scores = [score.missing(planted, "not asked") for planted in reuse.QUICK[1:]]
        store.save(tmp_path / proven.NAME, [row(reuse.QUICK[0].id, "hang", "hang"), *scores], quick=True)
        said: list[str] = []
        assert controls.quick(tmp_path, said.append, lambda: True) == (
            Control(reuse.QUICK[0].id, "hang", "hang", True),
        )
        assert said == [] and [path.name for path in tmp_path.iterdir()] == [proven.NAME]

    def test_quick_that_is_interrupted_leaves_nothing_to_reuse(self, tmp_path: Path) -> None:
        """The file beside the inquests tells of a whole set or is not there."""
        assert controls.quick(tmp_path, lambda _: None, lambda: False) == ()
        assert not (tmp_path / proven.NAME).exists()


def test_lines() -> None:
    """Plain, and they say what was seen instead."""
    slow = dataclasses.replace(ROWS[2], seconds=1.25, trials=3)
    assert reuse.line(slow) == "  NOT PROVEN  c: io-fault, seen: hang (open), 3 trials, 1.2 s"
    assert reuse.line(ROWS[3]) == "  not run     d: no disk"
    assert catalogue.by_id("race") in reuse.QUICK
