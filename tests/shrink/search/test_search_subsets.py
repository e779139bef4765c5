"""Subsets of differences."""

from __future__ import annotations

import itertools

import pytest

from harness.shrink.search.answers import Answer
from harness.shrink.search.subsets import Subsets, halves, joined, parts, subset_name, without


def test_names_are_stable_and_tell_subsets_apart() -> None:
    """The same labels in the same order, the same name, in every process; all subsets of eight differ."""
    assert subset_name(["a", "b"]) == "2-59b271ae1bbc"
    every = [names for size in range(9) for names in itertools.combinations(["ab", "a", "b", *"cdefg"], size)]
    assert len({subset_name(names) for names in every}) == len(every) == 256


@pytest.mark.parametrize("size", [1, 2, 7, 12, 100])
def test_parts_cover_all_in_order(size: int) -> None:
    """Nothing is lost, nothing is empty, sizes differ by one at most."""
    places = tuple(range(size))
    for count in range(1, size + 1):
        found = parts(places, count)
        assert tuple(itertools.chain(*found)) == places
        assert {len(part) for part in found} <= {size // count, size // count + 1} - {0}
    assert halves(places)[0] + halves(places)[1] == places
    assert 0 <= len(halves(places)[0]) - len(halves(places)[1]) <= 1


def test_joined_and_without_keep_the_order() -> None:
    """As in the list of all differences."""
    assert joined((1, 5), (0, 3, 5)) == (0, 1, 3, 5)
    assert without((0, 1, 3, 5), (3, 0)) == (1, 5)


class TestSubsets:
    """Asking one subset."""

    def test_a_death_is_proof_and_is_remembered(self) -> None:
        """One death of up to three trials; then no trial more."""
        answers = iter([Answer.SURVIVES, Answer.DIES])
        subsets = Subsets("abc", list("abc"), lambda subset: next(answers))
        subsets.repeats = 3
        assert (subsets.dies((0, 2)), subsets.dies((0, 2)), subsets.smallest) == (True, True, (0, 2))
        assert len(subsets.asker.trace) == 2
        assert subsets.asker.trace[-1].excluded == "that more than 2 of 3 are needed"

    def test_survivors_are_counted_up_to_the_repeats(self) -> None:
        """Three are asked, six where it is asked for twice as many; what was asked counts."""
        subsets = Subsets("abc", list("abc"), lambda subset: Answer.SURVIVES)
        subsets.repeats = 3
        assert (subsets.dies((1,)), subsets.survivors((1,))) == (False, 3)
        assert (subsets.dies((1,), 2), subsets.survivors((1,)), subsets.smallest) == (False, 6, None)

    def test_the_trial_is_given_the_differences(self) -> None:
        """Not their places; the caller's name is the subject's."""
        seen: list[tuple[int, ...]] = []

        def trial(subset: tuple[int, ...]) -> Answer:
            seen.append(subset)
            return Answer.DIES

        subsets = Subsets([10, 20, 30], list("abc"), trial, lambda subset: "+".join(map(str, subset)))
        assert subsets.dies((0, 2))
        assert (seen, subsets.asker.trace[0].id) == ([(10, 30)], "10+30/1")
