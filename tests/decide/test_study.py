"""The failure that an inquest follows."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from built_trials import died, trial, well

from harness.decide import study
from harness.decide.statistics import Count
from harness.decide.study import Study, same_death
from harness.model import Cell, Outcome, Signature, Trial

TWO = {"threads": 2, "batch_size": 4}
ONE = {"threads": 1, "batch_size": 4}


def segv(number: int = 1, seconds: float = 1.0, **keys: Any) -> Trial:
    """Return a death by SIGSEGV after so many seconds."""
    return died(number, **{"signal": "SIGSEGV", "factors": TWO, "facts": {"duration_seconds": seconds}, **keys})


def studied(*trials: Trial) -> Study:
    """Return the study, which there is."""
    found = study.of(trials)
    assert found is not None
    return found


class TestChoice:
    """Which cell and which death."""

    @pytest.mark.parametrize("trials", [(), (well(),), (well(), trial(2, "stopped"), trial(3, "unresolved"))])
    def test_without_failure_there_is_none(self, trials: tuple[Trial, ...]) -> None:
        """Nothing to follow."""
        assert study.of(trials) is None

    def test_follows_the_cell_with_most_trials(self) -> None:
        """The one that was begun stays; its first death is the reference. Trials under interventions count."""
        other = {"threads": 2, "batch_size": 8}
        found = studied(segv(1, factors=other), segv(1), segv(2))
        assert (found.cell.id, found.reference.id) == ("threads=2,batch_size=4", "threads=2,batch_size=4/1")
        under = [well(one, factors=other, under="threads=1") for one in range(2)]
        assert studied(segv(1, factors=other), segv(1), segv(2), *under).reference.id == "threads=2,batch_size=8/1"

    def test_follows_the_smallest_of_equals(self) -> None:
        """The cell that needed least memory is the cheapest to repeat."""
        other = {"threads": 2, "batch_size": 8}
        big, small = segv(1, factors=other, peak=900), segv(1, peak=400)
        assert studied(big, small).reference == studied(small, big).reference == small

    def test_plain_trials_are_its_cell_s_own(self) -> None:
        """Survivors and all; other cells and other interventions are no trials of the cell as it is."""
        elsewhere = (well(1, factors={"threads": 3}), well(1, factors=TWO, under="probes=off"))
        found = studied(segv(1), well(2, factors=TWO), *elsewhere)
        assert [one.id for one in found.plain] == ["threads=2,batch_size=4/1", "threads=2,batch_size=4/2"]
        assert Count(1, 2) == found.without

    def test_failure_under_an_intervention_is_not_followed(self) -> None:
        """A limit that we set killed it: that is no failure of the target."""
        assert study.of((well(factors=TWO), segv(1, under="memory=0.6x"))) is None

    def test_hang_is_followed(self) -> None:
        """It is a failure like any other."""
        hung = trial(1, "hung", signal="SIGKILL", ended_by="harness", factors=TWO)
        assert hung == studied(hung).reference


class TestUnder:
    """Trials by intervention."""

    def test_matrix_cell_at_one_thread_counts(self) -> None:
        """The same cell at 1 thread is that intervention, whoever asked for it; another batch size is not."""
        here, there = well(1, factors=ONE), well(1, factors={"threads": 1, "batch_size": 1})
        again = well(1, factors=TWO, under="threads=1")
        found = studied(segv(), here, there, again)
        assert {"threads=1": (here, again)} == found.under

    def test_cell_at_one_thread_is_not_under_it(self) -> None:
        """There the intervention changes nothing."""
        assert studied(segv(factors=ONE), segv(2, factors=ONE)).under == {}

    def test_cell_without_threads_is_not_one_thread(self) -> None:
        """Other cells' trials are not taken for it."""
        assert studied(segv(factors={}), well(factors={"threads": 1})).under == {}

    def test_rungs_are_sorted_and_have_no_effect(self) -> None:
        """The memory ladder is read by another rule; the widest rung stands first."""
        low, wide = segv(1, under="memory=0.6x"), well(1, factors=TWO, under="memory=1.5x")
        found = studied(segv(), low, wide, well(1, factors=TWO, under="threads=1"))
        assert [(1.5, wide), (0.6, low)] == found.rungs
        assert list(found.effects) == ["threads=1"]

    def test_what_was_not_tried_is_undecided(self) -> None:
        """And what was, is what its effect says."""
        found = studied(*(segv(number) for number in range(5)), *(well(number, factors=ONE) for number in range(6)))
        assert (found.does("threads=1"), found.does("stack=256M")) == ("removes", "undecided")

    def test_two_interventions_at_once_decide_nothing(self) -> None:
        """Such a trial is left out."""
        both = dataclasses.replace(well(1, factors=TWO), interventions=("threads=1", "onednn=off"))
        assert studied(segv(), both).under == {"threads=1": ()}


class TestOthers:
    """Failures of another kind."""

    def test_are_told_apart_wherever_they_came(self) -> None:
        """As it is, and under an intervention; survivors are none."""
        plain, under = segv(2, signal="SIGABRT"), segv(1, loose="elsewhere", under="threads=1")
        found = studied(segv(), plain, under, segv(3), well(4, factors=TWO))
        assert (plain, under) == found.others


SIGNED = Signature("e1", "SIGSEGV: a < b (2)", "SIGSEGV in forward backbone#2")


def with_signature(signature: Signature | None, outcome: str = "died") -> Trial:
    """Return a trial of that signature."""
    return dataclasses.replace(died(), signature=signature, outcome=Outcome(outcome))


class TestSameDeath:
    """Whether two deaths are one failure."""

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({}, True), ({"exact": "e2"}, True), ({"point": "elsewhere"}, True), ({"loose": "SIGSEGV: c (1)"}, False),
            ({"loose": None}, True), ({"loose": None, "point": "elsewhere"}, False),
        ],
    )  # fmt: skip
    def test_loose_decides_and_point_where_a_stack_is_missing(self, change: dict[str, Any], expected: bool) -> None:
        """Stacks tell; where one of the two has none, the place does. Both ways round."""
        one, other = with_signature(SIGNED), with_signature(dataclasses.replace(SIGNED, **change))
        assert (expected, expected) == (same_death(one, other), same_death(other, one))

    def test_only_failures_are_deaths(self) -> None:
        """Not what completed, and not what has no signature."""
        one = with_signature(SIGNED)
        for other in (with_signature(SIGNED, "completed"), with_signature(SIGNED, "unresolved"), with_signature(None)):
            assert (same_death(one, other), same_death(other, one)) == (False, False)

    def test_cell_is_what_is_run_again(self) -> None:
        """Guards the above: the study's cell is a Cell with the plan's order."""
        assert Cell((("threads", 2), ("batch_size", 4))) == studied(segv()).cell


class TestSameInstruction:
    """A pool's worker and the main thread have other frames around one machine instruction."""

    AT = {"fault_instruction": "libtorch_cpu.so+0x7b1ca00"}

    @pytest.mark.parametrize(
        ("facts", "keys", "same"),
        [
            (AT, {}, True),
            ({"fault_instruction": "libtorch_cpu.so+0x10"}, {}, False),
            ({}, {}, False),
            (AT, {"signal": "SIGBUS"}, False),
        ],
    )
    def test_is_the_same_death(self, facts: dict[str, Any], keys: dict[str, Any], same: bool) -> None:
        """At one instruction, by one signal, at one place in the model."""
        one = segv(1, facts=self.AT, loose="kernel < worker (2)")
        other = segv(2, facts=facts, loose="kernel < main (2)", **keys)
        assert same_death(one, other) is same

    def test_another_place_in_the_model_is_another_death(self) -> None:
        """One kernel serves many layers."""
        one, other = segv(1, facts=self.AT, loose="a (1)"), segv(2, facts=self.AT, loose="b (1)")
        assert other.signature is not None
        moved = dataclasses.replace(other, signature=dataclasses.replace(other.signature, point="SIGSEGV in backward"))
        assert not same_death(one, moved)


class TestUnobserved:
    """Without the inside probes there is no stack to compare."""

    @pytest.mark.parametrize(("signal", "same"), [("SIGSEGV", True), ("SIGABRT", False)])
    def test_only_the_ending_is_compared(self, signal: str, same: bool) -> None:
        """The same signal."""
        found = studied(segv(1), segv(2, under="probes=off", loose=None, signal=signal))
        assert found.is_same(found.under["probes=off"][0]) is same
