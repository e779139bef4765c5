"""Ranks that wait for each other: what each waits for, how far it has come, which rank it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from built_trials import trial as built
from observing import observe, source_line, victim
from record_folders import Records

from harness.decide.hypotheses import Case, hang
from harness.facts.hang import ranks, story
from harness.facts.hang.still_threads import StillThread
from harness.facts.hang.waits_for import Wait, Waits
from harness.model import Fact
from probes import records


def process(rank: int | None, step: int | None, done: int | None, at: str = "backward") -> Fact:
    """Return what is known of one process."""
    where = f"{at} of step {step}"
    return Fact(
        "hang_process",
        {"process": 7, "rank": rank, "steps_done": done, "step": step, "at": where, "says": "waits"},
    )  # fmt: skip


def waiting(pid: int) -> StillThread:
    """Return a main thread that sleeps."""
    return StillThread(
        process=pid, id=pid, name="MainThread", is_main=True, least_cores=0.0, most_cores=0.0, idle=True,
        wait=Wait(Waits.SLEEP, "clock_nanosleep"), descriptor="", state="SSS", wchan="", python=(), native=(),
        profile=(), sources=(),
    )  # fmt: skip


class TestUneven:
    """Whether ranks are at the same step."""

    def test_says_where_each_is(self) -> None:
        """One is in its sixth step, the other after its fifth."""
        told = ranks.uneven([process(1, 5, 5, "after optimizer step"), process(0, 6, 5), process(None, None, None)])
        assert told is not None
        assert "(rank 0: backward of step 6, rank 1: after optimizer step of step 5)" in told

    @pytest.mark.parametrize(
        "found", [[], [process(0, 6, 5)], [process(0, 6, 5), process(1, 6, 5)], [process(None, 1, 1)]]
    )
    def test_is_silent_where_they_are(self, found: list[Fact]) -> None:
        """One rank alone, equal steps, processes that are no ranks."""
        assert ranks.uneven(found) is None

    def test_reaches_the_finding(self) -> None:
        """Beside the sentence of each process."""
        stood = built(1, "hung")
        facts = (*stood.facts, process(0, 6, 5), process(1, 5, 5))
        case = Case((type(stood)(**{**vars(stood), "facts": facts}),), {})
        told = [reason.text for reason in hang.judge(case).reasons]
        assert any("not at the same step" in text for text in told)
        assert any("rank 1, 5 steps done, backward of step 5: waits" in text for text in told)


class TestMeetings:
    """Ranks and nodes that have not come."""

    def test_counts_who_came_to_the_group(self, tmp_path: Path) -> None:
        """One of four began and was not let through."""
        made = Records(tmp_path).exit()
        row = {"event": "process group", "pid": 77, "at": "begin", "rank": 0, "world_size": 4}
        made.lines(records.INSIDE, [row])
        (told,) = story.facts(made.folder(), [waiting(77)], None)
        assert told.value == "process 77 waits in init_process_group for the other ranks: 1 of 4 came (rank 0)"
        made.lines(records.INSIDE, [{**row, "at": "end"}])
        assert story.facts(made.folder(), [waiting(77)], None) == []

    def test_counts_the_nodes_of_a_rendezvous(self, tmp_path: Path) -> None:
        """As torchrun's own state says."""
        row = {"event": "rendezvous", "pid": 77, "came": 1, "least": 2, "run_id": "night"}
        made = Records(tmp_path).exit().lines(records.INSIDE, [row])
        (told,) = story.facts(made.folder(), [waiting(77)], None)
        assert told.value == "process 77 waits in the rendezvous night for other nodes: 1 of 2 came"
        made.lines(records.INSIDE, [{**row, "came": 2}])
        assert story.facts(made.folder(), [waiting(77)], None) == []


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_two_ranks_with_uneven_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started without torchrun: both ranks are told, by number, with the step and the line at which each waits."""
    monkeypatch.chdir(tmp_path)
    limits = {"no_progress_least_seconds": 1.5, "no_progress_start_seconds": 100, "wall_seconds": 120}
    observed = observe(tmp_path, victim("hang_ranks"), "uneven", tmp_path / "meet", limits=limits)
    assert observed.trial.outcome == "hung"
    found = {fact.value["rank"]: fact.value for fact in observed.trial.facts if fact.name == "hang_process"}
    assert {rank: row["step"] for rank, row in found.items()} == {None: None, 0: 6, 1: 5}
    assert f"{victim('hang_ranks')}:{source_line(victim('hang_ranks'), 'backward()')})" in found[0]["says"]
    assert f"{victim('hang_ranks')}:{source_line(victim('hang_ranks'), 'Event().wait()')})" in found[1]["says"]
    told = [reason.text for reason in hang.judge(Case((observed.trial,), {})).reasons]
    assert any("rank 0: backward of step 6, rank 1: " in text for text in told)
