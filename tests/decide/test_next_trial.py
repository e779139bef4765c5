"""What is run next, on simulated targets: how many trials a decision costs, and how often chance is taken for one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from built_trials import died, trial, well

from harness.decide import study
from harness.decide.effects import COMES_BACK, ENOUGH, Does
from harness.decide.interventions import LOW_RUNGS, NO_PROBES, ONE_THREAD, RUNGS
from harness.decide.next_trial import next_step
from harness.decide.offers import CONFIRM, CONFIRM_ONCE, MOST_PLAIN, MOST_UNDER, Step
from harness.model import Cell, Trial

TWO = {"threads": 2, "batch_size": 4}
GROUP = "cgroup v1"
PEAK = 1 << 30
RUNG_IDS = [rung.id for rung in (*RUNGS, *LOW_RUNGS)]  # no rung of these simulations shows exhaustion
KILLED_WORKER = {"python_error": {"type": "RuntimeError"}, "worker_death": {"pid": 9, "signal": "SIGKILL"}}
Target = Callable[[Step, int], Trial]


def first(**keys: Any) -> Trial:
    """Return the death of the matrix that begins it all."""
    facts = {"fault_address": "0x1230", **keys.pop("facts", {})}
    facts = {name: value for name, value in facts.items() if value is not None}
    return died(1, **{"signal": "SIGSEGV", "factors": TWO, "peak": PEAK, "facts": facts, **keys})


def ran(step: Step, number: int, fails: bool, **keys: Any) -> Trial:
    """Return the trial that a step asked for."""
    under = step.intervention.id if step.intervention else None
    same = {"factors": step.cell.as_dict(), "peak": PEAK, "under": under, **keys}
    return died(number, **{"signal": "SIGSEGV", **same}) if fails else well(number, **same)


def simulate(start: Trial | list[Trial], target: Target, confinement: str | None = GROUP) -> list[Trial]:
    """Run what the agenda asks for until it asks for nothing; fails where it does not come to an end."""
    trials = start if isinstance(start, list) else [start]
    step = next_step(tuple(trials), confinement)
    while step is not None:
        assert len(trials) < 200, "the agenda does not come to an end"
        trials = [*trials, target(step, len(trials) + 1)]
        step = next_step(tuple(trials), confinement)
    return trials


def counts(trials: list[Trial]) -> Counter[str]:
    """Return how many trials were run under what; "" is the cell as it is."""
    return Counter("".join(one.interventions) for one in trials)


def is_threaded(step: Step) -> bool:
    """Whether a step leaves the target more than one thread."""
    return step.intervention is not ONE_THREAD


OWN = well(1, factors={})


class TestNothingToDo:
    """No failure, no question."""

    @pytest.mark.parametrize(
        "trials",
        [
            (), (trial(1, "unresolved"), well(2)), (well(1), trial(2, "stopped")),
            (well(), OWN, well(1, under="probes=off")), (OWN, well(1, factors={}, under="probes=off")),
        ],
    )  # fmt: skip
    def test_nothing_can_be_asked(self, trials: tuple[Trial, ...]) -> None:
        """Nothing was run, or it is not known how it ended, or it was ended alive, or it was asked already."""
        assert next_step(trials, GROUP) is None

    @pytest.mark.parametrize("trials", [(well(),), tuple(well(one) for one in range(30))])
    def test_nothing_failed(self, trials: tuple[Trial, ...]) -> None:
        """Once without a number of threads, which may be what keeps it alive; then once without the inside probes."""
        assert next_step(trials, GROUP) == Step(Cell(()), "does it fail with its own number of threads?")
        assert next_step((*trials, OWN), GROUP) == Step(trials[0].cell, "does it fail unobserved?", NO_PROBES)

    def test_other_factors_stay(self) -> None:
        """And what is told no number of threads has its own already."""
        told = well(1, factors={"threads": 2, "batch_size": 8})
        asked = next_step((told,), GROUP)
        assert asked is not None and asked.cell == Cell((("batch_size", 8),))
        assert next_step((OWN,), GROUP) == Step(Cell(()), "does it fail unobserved?", NO_PROBES)


class TestAlways:
    """Targets without chance."""

    def test_threads_alone(self) -> None:
        """Dies at more than one thread: five trials as it is, five that live at one, each rung once, which pool."""
        trials = simulate(first(), lambda step, number: ran(step, number, is_threaded(step)))
        asked = list(dict.fromkeys("".join(one.interventions) for one in trials))
        assert (asked[0], asked[-1], set(asked[1:-1])) == ("", "OMP_NUM_THREADS=1", {"threads=1", *RUNG_IDS})
        found = counts(trials)
        assert found.pop("") == CONFIRM
        assert found.pop("threads=1") == ENOUGH
        assert found.pop("OMP_NUM_THREADS=1") == COMES_BACK
        assert dict.fromkeys(RUNG_IDS, 1) == found
        assert study.of(trials).does("threads=1") == Does.REMOVES  # type: ignore[union-attr]

    def test_at_any_thread_count(self) -> None:
        """Stops at three same deaths under one thread, which need no others to be compared with."""
        trials = simulate(first(), lambda step, number: ran(step, number, True))
        assert {"": CONFIRM_ONCE, "threads=1": COMES_BACK, **dict.fromkeys(RUNG_IDS, 1)} == counts(trials)
        assert study.of(trials).does("threads=1") == Does.LEAVES  # type: ignore[union-attr]

    def test_matrix_has_run_it_already(self) -> None:
        """Trials of the matrix' own cell at one thread are not run again."""
        alive = [well(number, factors={**TWO, "threads": 1}) for number in range(ENOUGH)]
        trials = simulate([first(), *alive], lambda step, number: ran(step, number, is_threaded(step)))
        pool = {"OMP_NUM_THREADS=1": COMES_BACK}
        assert {"": ENOUGH + CONFIRM, **dict.fromkeys(RUNG_IDS, 1), **pool} == counts(trials)

    def test_failure_that_never_comes_again(self) -> None:
        """Bounded: as often as it is, as often at one thread, the ladder once; and nothing is decided."""
        trials = simulate(first(), lambda step, number: ran(step, number, False))
        assert {"": MOST_PLAIN, "threads=1": MOST_UNDER, **dict.fromkeys(RUNG_IDS, 1)} == counts(trials)
        assert study.of(trials).does("threads=1") == Does.UNDECIDED  # type: ignore[union-attr]

    @pytest.mark.parametrize("outcome", ["unresolved", "hung", "died"])
    def test_trials_that_do_not_count_are_bounded_too(self, outcome: str) -> None:
        """What cannot be told, or ends otherwise each time, is not repeated without end."""
        trials = simulate(
            first(), lambda step, number: trial(number, outcome, factors=TWO, peak=PEAK, code=number,
                                                under=step.intervention.id if step.intervention else None),
        )  # fmt: skip
        assert {"": MOST_PLAIN, "threads=1": MOST_UNDER, **dict.fromkeys(RUNG_IDS, 1)} == counts(trials)

    @pytest.mark.parametrize(
        ("facts", "alone"),
        [
            ({}, ["OMP_NUM_THREADS=1"]),
            ({"torch_threads": 2, "static_mkl": True, "openmp_runtimes": ["libgomp.so.1"]},
             ["torch.set_num_threads=1", "OMP_NUM_THREADS=1", "variables=1", "MKL_NUM_THREADS=1",
              "OMP_WAIT_POLICY=PASSIVE"]),
            ({"blas_copies": {"openblas": ["a"], "mkl_rt": ["b"]}},
             ["OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"]),
        ],
    )  # fmt: skip
    def test_which_pool_it_is(self, facts: dict[str, Any], alone: list[str]) -> None:
        """Each variable by itself, of the pools that are there, and only where all together take the failure away.

        Torch's own number comes first: it can contradict what one thread seemed to show.
        """
        mends = ("threads=1", "OMP_NUM_THREADS=1")

        def again(step: Step, number: int) -> Trial:
            return ran(step, number, getattr(step.intervention, "id", "") not in mends, facts=facts)

        trials = simulate(first(facts=facts), again, None)
        assert ["threads=1", *alone] == [name for name in counts(trials) if name]
        found = study.of(trials)
        assert found is not None
        assert [found.does(name) for name in mends] == [Does.REMOVES] * 2
        assert all(found.does(name) is Does.LEAVES for name in alone if name not in mends)
        assert counts(trials)["threads=1"] >= ENOUGH  # the more is asked, the more Holm wants


class TestWhatIsAsked:
    """Only what can decide something about this failure."""

    @pytest.mark.parametrize(
        ("dead", "confinement", "expected"),
        [
            (first(), GROUP, ["threads=1", *RUNG_IDS]),
            (first(), None, ["threads=1"]),
            (first(peak=None), GROUP, ["threads=1"]),
            (first(factors={"threads": 1}), None, []),
            (first(factors={}), None, []),
            (first(factors={}, facts={"torch_threads": 4}), None, ["threads=1"]),
            (first(factors={}, facts={"torch_threads": 1}), None, []),
            (first(signal="SIGILL"), None, ["threads=1", "cpu=baseline"]),
            (first(signal=None, code=1, ntstatus="0xC000001D"), None, ["threads=1", "cpu=baseline"]),
            (first(facts={"stack_overflow": {}}), None, ["threads=1", "stack=256M"]),
            (first(signal=None, code=1, ntstatus="0xC00000FD"), None, ["threads=1", "stack=256M"]),
            (first(facts={"fault_address": None}), None, ["threads=1", "stack=256M"]),
            (first(signal="SIGKILL", ended_by="outside"), None, ["threads=1", "own-signals=off"]),
            (first(signal=None, code=1, facts=KILLED_WORKER), None, ["threads=1", "own-signals=off"]),
            (first(facts={"fault_in_probes": True}), None, ["probes=off", "threads=1"]),
            (first(factors={**TWO, "num_workers": 2}), None, ["threads=1", "num_workers=0"]),
            (first(factors={**TWO, "num_workers": 0}), None, ["threads=1"]),
            (first(facts={"num_workers": 2}), None, ["threads=1", "num_workers=0"]),
            (first(facts={"crash_stack": ["dnnl::impl::cpu::gemm"]}), None, ["threads=1", "onednn=off"]),
            (first(facts={"crash_stack": ["at::native::mkldnn_linear"]}), None, ["threads=1", "onednn=off"]),
        ],
    )  # fmt: skip
    def test_by_the_death(self, dead: Trial, confinement: str | None, expected: list[str]) -> None:
        """The telling ones first; each is asked, and nothing else is. Rungs come where they tell the most a second."""

        def again(step: Step, number: int) -> Trial:
            keys: dict[str, Any] = {
                name: getattr(dead.exit, name) for name in ("signal", "code", "ntstatus", "ended_by")
            }
            facts = {fact.name: fact.value for fact in dead.facts if fact.name != "peak_rss_bytes"}
            return ran(step, number, True, **keys, facts=facts)

        asked = [name for name in counts(simulate(dead, again, confinement)) if name]
        assert set(expected) == set(asked)
        assert [name for name in expected if name not in RUNG_IDS] == [name for name in asked if name not in RUNG_IDS]

    def test_steps_say_why(self) -> None:
        """The display shows it: what is asked, and what the answer needs."""
        steps: list[Step] = []

        def again(step: Step, number: int) -> Trial:
            steps.append(step)
            return ran(step, number, step.intervention is None)

        simulate(first(), again, None)
        told = list(dict.fromkeys(step.why for step in steps))
        assert told[:2] == [
            "does it fail again? 1 of 1 so far: what was seen once may not come again",
            "under threads=1, trial 1: 3 such deaths more or at least 5 survivors decide",
        ]
        survived = "it lived under threads=1, which tells only against enough deaths without"
        assert f"does it fail again? 2 of 2 so far: {survived}" in told


class TestFlaky:
    """Targets with chance."""

    @pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9])
    def test_is_bounded(self, rate: float) -> None:
        """250 inquests at each rate: never more than the caps, and every rung exactly once."""
        chance = random.Random(int(rate * 100))
        for _ in range(250):
            trials = simulate(first(), lambda step, number: ran(step, number, chance.random() < rate))
            found = counts(trials)
            assert CONFIRM_ONCE <= found[""] <= MOST_PLAIN and 1 <= found["threads=1"] <= MOST_UNDER
            assert all(found[rung] == 1 for rung in RUNG_IDS)

    def test_two_failing_cells_are_bounded(self) -> None:
        """Whichever dies sooner is followed; the other may be looked at, too, and no cap is passed."""
        chance = random.Random(7)
        other = {**TWO, "batch_size": 8}

        def again(step: Step, number: int) -> Trial:
            return ran(step, number, chance.random() < 0.4, facts={"duration_seconds": chance.random()})

        for _ in range(100):
            start = [first(facts={"duration_seconds": 0.5}), first(factors=other, facts={"duration_seconds": 0.6})]
            trials = simulate(start, again)
            by_cell = Counter((one.cell.id, one.interventions) for one in trials)
            assert max(by_cell.values()) <= MOST_UNDER

    @pytest.mark.parametrize("rate", [0.6, 0.8, 1.0])
    def test_race_is_found(self, rate: float) -> None:
        """A failure that needs threads is never ruled out as theirs, and is decided wherever it came five times."""
        chance = random.Random(3)
        for _ in range(50):
            trials = simulate(
                first(), lambda step, number: ran(step, number, is_threaded(step) and chance.random() < rate), None
            )
            found = study.of(trials)
            assert found is not None
            assert found.does("threads=1") != Does.LEAVES
            assert found.does("threads=1") == Does.REMOVES or found.without.failures < CONFIRM
