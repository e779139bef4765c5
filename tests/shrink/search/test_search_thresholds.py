"""Where the failure begins, on thousands of simulated failures."""

from __future__ import annotations

import random

import pytest
from simulated import CASES, RATES, SQUARE, Simulated, in_square, on_line, square_cell

from harness.model import Cell, ConfigError
from harness.shrink.search.answers import Answer, Asked, Isolation
from harness.shrink.search.grid import Axis
from harness.shrink.search.results import Thresholds
from harness.shrink.search.thresholds import thresholds

ENDLESS = 20_000  # trials that no search may need


def search_line(values: range, failing: int, trial: Simulated, low_dies: bool = False) -> Thresholds:
    """Search one factor."""
    return thresholds(Cell((("x", failing),)), [Axis("x", tuple(values), low_dies)], trial)


def claims(result: Thresholds) -> bool:
    """Whether a result claims to be right."""
    return result.isolation is Isolation.ISOLATED and result.confidence >= 0.95


class TestOneFactor:
    """One ordered factor."""

    @pytest.mark.parametrize("low_dies", [False, True])
    @pytest.mark.parametrize("size", [1, 2, 3, 6, 17])
    def test_finds_every_boundary_of_a_sure_failure(self, size: int, low_dies: bool) -> None:
        """Every boundary from every failing cell, at either side; log2 of the values, not their number."""
        for boundary in range(size):
            for failing in range(boundary + 1) if low_dies else range(boundary, size):
                dies = (lambda x, b=boundary: x <= b) if low_dies else (lambda x, b=boundary: x >= b)
                trial = Simulated(on_line(dies, 1.0), 0)
                result = search_line(range(size), failing, trial, low_dies)
                assert (Isolation.ISOLATED, boundary) == (result.isolation, result.corners[0].as_dict()["x"])
                assert result.confidence >= 0.98
                assert trial.count <= 5 + 2 * size.bit_length() + 8

    @pytest.mark.parametrize("rate", RATES)
    def test_is_right_as_often_as_it_says(self, rate: float) -> None:
        """Of hundreds of boundaries, at least 97 % of those claimed with 0.95 or more."""
        rng, right, claimed = random.Random(7), 0, 0
        for case in range(CASES[rate]):
            boundary = rng.randrange(12)
            failing = rng.randrange(boundary, 12)
            trial = Simulated(on_line(lambda x, b=boundary: x >= b, rate), case, ENDLESS)
            result = search_line(range(12), failing, trial)
            claimed += claims(result)
            right += claims(result) and result.corners == (Cell((("x", boundary),)),)
        assert claimed >= 0.95 * CASES[rate]
        assert right >= 0.97 * claimed

    @pytest.mark.parametrize("rate", RATES)
    def test_says_where_there_is_no_boundary(self, rate: float) -> None:
        """Dies at 4 to 7 and survives beyond: found at the harsh end, and said in words."""
        told = 0
        for case in range(CASES[rate] // 4):
            result = search_line(range(16), 6, Simulated(on_line(lambda x: 4 <= x <= 7, rate), case, ENDLESS))
            told += result.isolation is Isolation.NOT_MONOTONE
            assert result.isolation is Isolation.NOT_MONOTONE or result.isolation is Isolation.NOT_REPRODUCED
        assert told >= 0.95 * (CASES[rate] // 4)

    def test_says_it_in_words(self) -> None:
        """Which cell survived though milder ones die."""
        result = search_line(range(16), 6, Simulated(on_line(lambda x: 4 <= x <= 7, 1.0), 0))
        assert any("x=15 survived all of" in remark for remark in result.remarks)
        assert result.statement.startswith("no boundary: ")

    def test_a_wrong_side_is_no_boundary(self) -> None:
        """The low values die, the high ones were said to: the ends show it."""
        result = search_line(range(8), 2, Simulated(on_line(lambda x: x <= 3, 1.0), 0))
        assert result.isolation is Isolation.NOT_MONOTONE

    def test_dies_everywhere(self) -> None:
        """No boundary within the values is a result too."""
        result = search_line(range(6), 3, Simulated(on_line(lambda x: True, 0.5), 1))
        assert (result.isolation, result.conditions) == (Isolation.ISOLATED, "every value tried")

    def test_a_failure_that_stays_away_is_not_reproduced(self) -> None:
        """Never a death: nothing is searched."""
        trial = Simulated(on_line(lambda x: False, 1.0), 0)
        result = search_line(range(6), 3, trial)
        assert (result.isolation, result.confidence, trial.count) == (Isolation.NOT_REPRODUCED, 0.0, 120)

    def test_follows_a_failure_that_gets_rarer_towards_its_boundary(self) -> None:
        """The boundary's neighbours are measured by its own rate: mostly right where the failing cell's misleads."""
        fade = {3: 0.25, 4: 0.5, 5: 0.75}
        rates = [Simulated(lambda cell: fade.get(x := cell.as_dict()["x"], float(x > 5)), case) for case in range(60)]
        results = [search_line(range(8), 7, trial) for trial in rates]
        assert sum(result.corners == (Cell((("x", 3),)),) for result in results) >= 40


class TestTwoFactors:
    """Two factors together, in a 6x6 matrix."""

    def test_finds_every_corner_of_a_sure_failure(self) -> None:
        """All 36 corners, from the harshest cell and from the corner itself: at most 20 trials, of 36 at 5 repeats."""
        for corner in [(first, second) for first in range(6) for second in range(6)]:
            for failing in ((5, 5), corner):
                trial = Simulated(in_square((corner,), 1.0), 0)
                result = thresholds(square_cell(failing), SQUARE, trial)
                assert (Isolation.ISOLATED, (square_cell(corner),)) == (result.isolation, result.corners)
                assert trial.count <= 24

    @pytest.mark.parametrize("rate", RATES)
    def test_is_right_as_often_as_it_says(self, rate: float) -> None:
        """One corner or two independent causes, in turns: at least 97 % of the claims, and most are claimed."""
        rng, right, claimed = random.Random(3), 0, 0
        for case in range(CASES[rate]):
            one = (rng.randrange(6), rng.randrange(6))
            both = ((0, rng.randrange(1, 6)), (rng.randrange(1, 6), 0))
            corners = (one,) if case % 2 else both
            trial = Simulated(in_square(corners, rate), case, ENDLESS)
            result = thresholds(square_cell((5, 5)), SQUARE, trial)
            claimed += claims(result)
            right += claims(result) and set(result.corners) == set(map(square_cell, corners))
        assert claimed >= 0.95 * CASES[rate]
        assert right >= 0.97 * claimed

    def test_names_both_causes(self) -> None:
        """Fails with 2 threads or with a batch of 8: both are told."""
        trial = Simulated(in_square(((1, 0), (0, 3)), 1.0), 0)
        result = thresholds(square_cell((5, 5)), SQUARE, trial)
        assert result.conditions == "batch_size >= 8 or threads >= 2"


class TestOtherFailures:
    """What is neither a death nor a survivor."""

    def test_are_never_mistaken_for_either(self) -> None:
        """The cells next to the boundary fail in another way: no boundary is claimed, and they are listed."""

        def trial(cell: Cell) -> Answer:
            x = cell.as_dict()["x"]
            return Answer.DIES if x >= 6 else Answer.OTHER if x >= 2 else Answer.SURVIVES

        result = thresholds(Cell((("x", 7),)), [Axis("x", tuple(range(8)))], trial)
        assert result.isolation is Isolation.NOT_ISOLATED
        assert result.confidence < 0.66
        assert {name.split("/")[0] for name in result.others} >= {"x=5"}
        assert any("x=5 fails in another way" in remark for remark in result.remarks)

    def test_now_and_then_do_no_harm(self) -> None:
        """Every third trial fails otherwise: the boundary is found all the same."""
        numbers = iter(range(10_000))
        trial = Simulated(on_line(lambda x: x >= 5, 1.0), 0)
        result = thresholds(
            Cell((("x", 9),)),
            [Axis("x", tuple(range(10)))],
            lambda cell: Answer.OTHER if next(numbers) % 3 == 2 else trial(cell),
        )
        assert (result.isolation, result.conditions) == (Isolation.ISOLATED, "x >= 5")
        assert len(result.others) == len(result.trace) // 3

    def test_alone_are_not_the_failure(self) -> None:
        """The failing cell fails otherwise each time: not reproduced, after three."""
        result = thresholds(Cell((("x", 1),)), [Axis("x", (0, 1))], lambda cell: Answer.OTHER)
        assert (result.isolation, len(result.trace)) == (Isolation.NOT_REPRODUCED, 3)


class TestInterruption:
    """Budgets and resuming."""

    @pytest.mark.parametrize("rate", [1.0, 0.2])
    def test_resumed_ends_as_if_it_had_not_been_interrupted(self, rate: float) -> None:
        """Cut after each number of trials: the same result, the same trace, and no trial twice."""
        rate_of = in_square(((2, 3),), rate)
        whole = thresholds(square_cell((5, 5)), SQUARE, Simulated(rate_of, 5))
        subjects = {square_cell((a, b)).id: square_cell((a, b)) for a in range(6) for b in range(6)}
        for cut in range(0, len(whole.trace), 1 + len(whole.trace) // 20):
            first = thresholds(square_cell((5, 5)), SQUARE, Simulated(rate_of, 5, cut))
            log = [asked.entry for asked in first.trace]
            trial = Simulated(rate_of, 5).after(log, subjects)
            assert (cut, True) == (len(first.trace), first.is_spent)
            assert whole == thresholds(square_cell((5, 5)), SQUARE, trial, log)
            assert trial.count == len(whole.trace)

    def test_is_never_sure_too_early(self) -> None:
        """Over all budgets of a search: whatever is claimed with 0.95 is right."""
        wrong = 0
        for cut in range(60):
            result = thresholds(square_cell((5, 5)), SQUARE, Simulated(in_square(((2, 3),), 0.5), 11, cut))
            wrong += claims(result) and result.corners != (square_cell((2, 3)),)
            assert len(result.trace) <= cut
        assert wrong == 0

    def test_without_budget_nothing_is_claimed(self) -> None:
        """No trial: no confidence."""
        result = thresholds(square_cell((5, 5)), SQUARE, lambda cell: None)
        assert (
            result.isolation,
            result.confidence,
            result.is_spent,
            result.trace,
        ) == (Isolation.NOT_REPRODUCED, 0.0, True, ())

    def test_records_each_new_trial(self) -> None:
        """What is recorded is the trace; what was replayed is not recorded again."""
        recorded: list[Asked] = []
        trial = Simulated(in_square(((2, 3),), 1.0), 0)
        whole = thresholds(square_cell((5, 5)), SQUARE, trial, record=recorded.append)
        log = [asked.entry for asked in recorded]
        again = thresholds(square_cell((5, 5)), SQUARE, lambda cell: None, log, recorded.append)
        assert whole.trace == again.trace == tuple(recorded)


class TestProblems:
    """What cannot be searched."""

    @pytest.mark.parametrize(
        ("axes", "word"),
        [
            ([Axis("x", (1, 2))], "the failing cell's value"), ([Axis("x", (7, 7))], "stands twice"),
            ([], "one factor"),
            ([Axis("x", (7, 8)), Axis("x", (7, 8))], "one factor"), ([Axis("y", (7, 8))], "the failing cell's value"),
            ([Axis("x", tuple(range(40))), Axis("z", tuple(range(40)))], "too many"),
        ],
    )  # fmt: skip
    def test_is_told(self, axes: list[Axis], word: str) -> None:
        """Each with the reason, before any trial."""
        with pytest.raises(ConfigError, match=word):
            thresholds(Cell((("x", 7), ("z", 3))), axes, lambda cell: Answer.DIES)
