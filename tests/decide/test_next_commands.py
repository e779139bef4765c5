"""What to run next: each command once, and after a spent budget the one that goes on; over simulated inquests too."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from built_trials import case, proven
from decided_cases import deaths
from test_simulated_judging import Inquest

from harness.decide import next_commands
from harness.decide.hypotheses import HYPOTHESES, Case
from harness.decide.verdict import decide
from harness.facts import journal
from harness.model import Experiment, Verdict
from probes import records

RESUME = "harness run --resume reports/one"
SETS = 300


def verdict(asked: Case, plan: str = "harness run p.yaml", resume: str | None = None) -> Verdict:
    """Judge by every rule, and decide."""
    return decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], plan, resume)


@pytest.mark.parametrize("seed", range(3))
def test_no_command_is_printed_twice(seed: int) -> None:
    """Whatever was seen, whatever was asked for; nor is one of them empty of a reason."""
    dice = random.Random(seed)
    seen = 0
    for _ in range(SETS):
        one = Inquest(dice)
        asked = case(*one.trials(), controls=one.controls())
        for plan in ("harness run p.yaml -- a.py", "harness controls --only x"):
            found = verdict(asked, plan).next_experiments
            commands = [experiment.command for experiment in found]
            assert len(commands) == len(set(commands)), found
            assert all(experiment.decides for experiment in found)
            seen += len(found) > 1
    assert seen > SETS / 10


def test_what_one_command_decides_is_told_together() -> None:
    """In the order of what came first; the same purpose once."""
    told = [Experiment("a", "x"), Experiment("b", "y"), Experiment("c", "x"), Experiment("a", "x")]
    assert list(next_commands.merged(told)) == [Experiment("a; and c", "x"), Experiment("b", "y")]


class TestCutShort:
    """A budget that was spent, or Ctrl-C."""

    def test_the_agenda_goes_on(self) -> None:
        """One command for all that it will ask; the controls and the doctor are no part of it."""
        asked = case(*deaths(1), controls=proven("hang"))
        without, with_ = (verdict(asked, resume=one).next_experiments for one in (None, RESUME))
        assert [one.command for one in with_] == [next_commands.CONTROLS, RESUME]
        assert len(without) == 3
        assert with_[1].decides == "; and ".join(one.decides for one in without[1:])

    def test_without_a_trial_it_begins(self) -> None:
        """Nothing is known yet."""
        (one,) = verdict(case(), resume=RESUME).next_experiments
        assert one.command == RESUME

    @pytest.mark.parametrize(
        ("events", "is_spent"),
        [
            (["end"], False), (["budget spent", "end"], True), (["budget spent", "interrupted"], True),
            (["budget spent", "end", "trial begins", "end"], False),
            (["budget spent", "end", "budget spent", "end"], True), ([], None),
        ],
    )  # fmt: skip
    def test_the_last_run_of_the_inquest_counts(self, tmp_path: Path, events: list[str], is_spent: bool | None) -> None:
        """One that was resumed and came to its end needs no further."""
        for event in events:
            records.append(tmp_path / records.JOURNAL, {"event": event, "time": "t", "seconds": 1.0})
        assert journal.description(tmp_path)[0].get("budget_spent") is is_spent
