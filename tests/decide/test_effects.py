"""What an intervention did to a failure."""

from __future__ import annotations

import itertools

import pytest
from built_trials import died, trial, well

from harness.decide.effects import COMES_BACK, ENOUGH, LEVEL, Does, Effect, count, effects
from harness.decide.statistics import Count, fisher
from harness.model import Trial

NAME = "threads=1"


def deaths(number: int, **keys: object) -> list[Trial]:
    """Return so many deaths of the failure under inquest."""
    return [died(one, signal="SIGSEGV", **keys) for one in range(number)]


def lives(number: int) -> list[Trial]:
    """Return so many trials that lived."""
    return [well(100 + one) for one in range(number)]


def others(number: int) -> list[Trial]:
    """Return so many deaths of another failure."""
    return [died(200 + one, signal="SIGABRT") for one in range(number)]


def is_same(one: Trial) -> bool:
    """Whether a trial died of the failure under inquest."""
    return one.outcome == "died" and one.exit.signal == "SIGSEGV"


def effect(without: list[Trial], under: list[Trial]) -> Effect:
    """Return the effect of one intervention."""
    (found,) = effects(without, {NAME: under}, is_same)
    return found


class TestCount:
    """Which trials count."""

    def test_failures_and_survivors_of_this_kind(self) -> None:
        """Completed and stopped trials lived; unresolved ones and other deaths and hangs are neither."""
        rest = [trial(300, "stopped"), trial(301, "unresolved"), trial(302, "hung", signal="SIGKILL")]
        assert Count(3, 6) == count([*deaths(3), *lives(2), *others(4), *rest], is_same)

    def test_nothing_is_none_of_none(self) -> None:
        """No trial, no rate."""
        assert Count(0, 0) == count([], is_same)


class TestDoes:
    """Removes, leaves, or undecided."""

    @pytest.mark.parametrize(
        ("without", "under", "does"),
        [
            ((5, 0), (0, 5), "removes"), ((5, 0), (0, 4), "undecided"), ((5, 0), (0, 1), "undecided"),
            ((5, 0), (0, 0), "undecided"), ((5, 7), (0, 12), "removes"), ((3, 2), (0, 5), "undecided"),
            ((1, 0), (0, 12), "undecided"), ((0, 5), (0, 5), "undecided"), ((5, 0), (1, 11), "removes"),
            ((5, 0), (2, 0), "undecided"), ((5, 0), (3, 0), "leaves"), ((5, 0), (3, 9), "leaves"),
            ((12, 0), (3, 197), "leaves"), ((1, 0), (3, 0), "leaves"),
        ],
    )  # fmt: skip
    def test_as_the_counts_go(self, without: tuple[int, int], under: tuple[int, int], does: str) -> None:
        """(Deaths, survivors) without and with it. Three same deaths leave, whatever the test says."""
        found = effect([*deaths(without[0]), *lives(without[1])], [*deaths(under[0]), *lives(under[1])])
        assert (does, Count(without[0], sum(without)), Count(under[0], sum(under))) == (
            found.does, found.without, found.with_,
        )  # fmt: skip

    def test_rule_on_a_grid(self) -> None:
        """A thousand tables: three same deaths leave; else p below the level, of five trials, removes."""
        for a, b, c, d in itertools.product(range(6), range(6), range(5), range(9)):
            found = effect([*deaths(a), *lives(b)], [*deaths(c), *lives(d)])
            p = fisher(Count(a, a + b), Count(c, c + d))
            removes = p < LEVEL and c + d >= ENOUGH
            expected = Does.LEAVES if c >= COMES_BACK else Does.REMOVES if removes else Does.UNDECIDED
            assert (expected, p, p) == (found.does, found.p, found.corrected_p), (a, b, c, d)
            assert found.more is None or (found.does is Does.UNDECIDED and found.more > 0)

    def test_undecided_says_how_many_more_would_decide(self) -> None:
        """So many more survivors turn it into `removes`, one fewer does not."""
        for a, b, c, d in itertools.product((1, 3, 5), (0, 2), (0, 1, 2), (0, 1, 4)):
            base, under = [*deaths(a), *lives(b)], [*deaths(c), *lives(d)]
            more = effect(base, under).more
            if more is not None:
                assert effect(base, [*under, *lives(more)]).does == "removes"
                assert effect(base, [*under, *lives(more - 1)]).does == "undecided"

    def test_other_failure_is_no_same_death_and_no_survivor(self) -> None:
        """Twelve deaths of another kind neither leave the failure nor are they what it takes to say that it is gone."""
        found = effect(deaths(5), others(12))
        assert ("undecided", Count(0, 0), 1.0) == (found.does, found.with_, found.p)
        plain = effect([*deaths(5), *others(12)], deaths(3))
        assert ("leaves", Count(5, 5)) == (plain.does, plain.without)

    def test_hang_and_unresolved_trial_are_no_survivors(self) -> None:
        """What did not live is no sign that the failure is gone."""
        hung = [trial(number, "hung", signal="SIGKILL") for number in range(6)]
        unresolved = [trial(number, "unresolved") for number in range(6)]
        assert effect(deaths(5), hung).does == "undecided"
        assert effect(deaths(5), unresolved).does == "undecided"

    def test_what_still_dies_is_not_removed(self) -> None:
        """Under one thread a fault has the main thread's stack, so another look: it is not known to be gone."""
        assert effect(deaths(5), [*lives(5), *others(7)]).does == "undecided"


class TestMany:
    """Several interventions."""

    def test_are_corrected_for_their_number(self) -> None:
        """Five survivors after three deaths decide for one intervention, and not for the same one beside two more."""
        under = {"a": lives(5), "b": lives(5), "c": lives(5)}
        assert [one.does for one in effects(deaths(3), {"a": lives(5)}, is_same)] == ["removes"]
        found = effects(deaths(3), under, is_same)
        assert [one.does for one in found] == ["undecided"] * 3
        assert pytest.approx([one.corrected_p for one in found]) == [3 / 56] * 3
        assert list(under) == [one.intervention for one in found]

    def test_each_keeps_its_own_counts(self) -> None:
        """One removes, one leaves, one is undecided."""
        under = {"a": lives(6), "b": deaths(3), "c": [*deaths(1), *lives(1)]}
        found = effects(deaths(6), under, is_same)
        assert [one.does for one in found] == ["removes", "leaves", "undecided"]
        assert [Count(0, 6), Count(3, 3), Count(1, 2)] == [one.with_ for one in found]

    def test_none_is_none(self) -> None:
        """Nothing tried, nothing said."""
        assert effects(deaths(5), {}, is_same) == []


class TestWords:
    """The sentence of the report."""

    def test_removes_with_all_numbers(self) -> None:
        """Counts, the interval under it, p and the corrected p."""
        assert str(effect(deaths(5), lives(5))) == (
            "threads=1: removes the failure: failed 0 of 5 with it (rate 0% to 52%), 5 of 5 without; "
            "Fisher p 0.004, after Holm 0.004"
        )

    def test_undecided_says_what_is_missing(self) -> None:
        """A number where one decides, else that more are needed."""
        assert str(effect(deaths(5), [])).endswith(" more trials without a failure would decide")
        assert str(effect(lives(5), lives(5))).endswith("; more trials are needed")


class TestGatekeeping:
    """A later question cannot undo an answer."""

    def test_what_only_informs_is_corrected_for_all_and_changes_nothing(self) -> None:
        """Without the order, four more questions would take the first answer back."""
        under = {NAME: lives(5), **{f"other {number}": lives(5) for number in range(9)}}
        informing = [name for name in under if name != NAME]
        found = {one.intervention: one for one in effects(deaths(5), under, is_same, informing)}
        assert found[NAME].does is Does.REMOVES and found[NAME].corrected_p == found[NAME].p
        assert {found[name].does for name in informing} == {Does.UNDECIDED}
        together = effects(deaths(5), under, is_same)
        assert {one.does for one in together} == {Does.UNDECIDED}
