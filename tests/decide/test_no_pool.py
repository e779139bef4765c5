"""Where no thread but Python's own was there, no pool can be at fault; where one may have been, one thread is asked."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import trial
from decided_cases import THREADS, deaths, status

from harness.decide import offers, study

ALONE = {
    "threads_max": 3, "python_threads_most": 3, "openmp_runtimes": [], "openmp_copies": {}, "blas_copies": {},
    "tbb_copies": {},
}  # fmt: skip
NO_CELL: dict[str, Any] = {"factors": {"batch_size": 4}}


def failures(number: int, facts: dict[str, Any], **how: Any) -> list:
    """Return failures that no signal ended."""
    return deaths(number, facts=facts, **{"signal": None, "code": 1, **NO_CELL, **how})


def test_ruled_out_without_a_trial_at_one_thread() -> None:
    """An exception, an exit, and a standstill alike."""
    assert status(THREADS, *failures(3, ALONE)) == "ruled-out"
    still = [trial(number, "hung", facts=ALONE, ended_by="harness", **NO_CELL) for number in (1, 2, 3)]
    assert status(THREADS, *still) == "ruled-out"


@pytest.mark.parametrize(
    "change",
    [
        {"threads_max": 4}, {"openmp_runtimes": ["/x/libgomp.so.1"]}, {"blas_copies": {"openblas": ["/x/openblas.so"]}},
        {"tbb_copies": {"tbb": ["/x/libtbb.so"]}}, {"python_threads_most": None}, {"openmp_runtimes": None},
    ],
)  # fmt: skip
def test_open_where_a_pool_may_have_been(change: dict[str, Any]) -> None:
    """One thread more than Python's own, a runtime, or a record that is missing."""
    facts = {name: value for name, value in {**ALONE, **change}.items() if value is not None}
    assert status(THREADS, *failures(3, facts)) == "open"


def test_too_few_or_a_signal() -> None:
    """Two may be chance; and two of Python's threads can race without a pool."""
    assert status(THREADS, *failures(2, ALONE)) == "open"
    assert status(THREADS, *deaths(3, facts=ALONE, **NO_CELL)) == "open"


@pytest.mark.parametrize("torch", [{}, {"torch_threads": 1}])
@pytest.mark.parametrize(("most", "asked"), [(3, False), (4, True)])
def test_one_thread_is_asked_of_a_pool_that_is_not_torch_s(most: int, asked: bool, torch: dict[str, int]) -> None:
    """A program whose numpy has a pool, without torch or with torch at one thread: the variables reach it."""
    found = study.of(tuple(failures(3, {**ALONE, **torch, "threads_max": most})))
    assert found is not None and offers.has_threads(found) is asked
