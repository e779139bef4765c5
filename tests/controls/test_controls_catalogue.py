"""The catalogue is whole: every fault that the design asks for, a program for each line, a line for each program."""

from __future__ import annotations

import pytest

from harness.controls import catalogue, reuse, run
from harness.controls.catalogue import CATALOGUE, PROGRAMS, Planted
from harness.controls.score import NO_FAILURE, SPECIFIC
from harness.decide.hypotheses import HYPOTHESES
from harness.plan.plan_file import parse

FAMILIES = {hypothesis.ID for hypothesis in HYPOTHESES}
HELPERS = {"killer", "few_threads", "weights"}
ASKED_FOR = {
    "memory-exhaustion": {
        "oom-kill", "rlimit-memory", "host-memory", "malloc-unchecked", "slow-leak", "oom-worker", "allocator-abort",
    },
    "native-fault": {
        "segv-main", "segv-thread", "segv-openmp", "abort", "double-free", "divide", "variable-fault",
        "pool-native-fault",
    },
    "stack-overflow": {"stack-main", "stack-thread", "stack-pool", "stack-small"},
    "illegal-instruction": {"illegal"},
    "external-kill": {
        "sigkill", "sigterm", "sighup", "worker-killed", "tool-killed", "orderly-sigterm", "sigusr1",
    },
    "deliberate-exit": {"os-exit", "thread-exit", "native-exit-in-pool", "exit-in-training"},
    "python-exception": {"exception", "thread-exception", "worker-exception"},
    "hang": {"lock-order", "native-loop", "livelock", "fork-openmp"},
    "threading-fault": {"race", "race-rare", "two-intel", "python-race"},
    "io-fault": {"cut-file", "disk-full", "disk-full-abort", "truncated-image"},
    "resource-limit": {
        "cpu-limit", "file-limit", "thread-refused", "threads-openmp", "file-leak", "map-count", "shared-full",
        "two-openmp",
    },
    None: {"healthy-memory", "healthy-threads", "healthy-start", "healthy-exit", "healthy-exec"},
}


def test_every_fault_that_was_asked_for_is_planted() -> None:
    """Family by family, and nothing beside them."""
    found: dict[str | None, set[str]] = {}
    for planted in CATALOGUE:
        found.setdefault(planted.expected, set()).add(planted.id)
    assert found == ASKED_FOR


def test_families_are_those_of_the_hypotheses() -> None:
    """A control of a family that nobody judges would never be proven."""
    assert {planted.expected for planted in CATALOGUE if planted.expected} == FAMILIES == set(SPECIFIC)
    assert {family for planted in CATALOGUE for family in planted.also} <= FAMILIES
    assert NO_FAILURE not in FAMILIES


def test_ids_are_unique() -> None:
    """An id is a folder."""
    ids = [planted.id for planted in CATALOGUE]
    assert len(set(ids)) == len(ids)
    assert catalogue.by_id("race") is not None and catalogue.by_id("nothing") is None


def test_every_program_has_its_line() -> None:
    """And every line its program."""
    programs = {path.stem for path in PROGRAMS.glob("*.py")} - HELPERS
    assert {planted.program for planted in CATALOGUE} == programs


@pytest.mark.parametrize("planted", CATALOGUE, ids=lambda planted: planted.id)
def test_every_plan_can_be_read(planted: Planted) -> None:
    """The plan is one that a user could have written."""
    read = parse(run.raw_plan(planted), PROGRAMS / "plan.yaml")
    assert read.name == planted.id
    assert read.baseline.as_dict() == ({"threads": planted.threads} if planted.threads else {})


def test_quick_ones_are_few_without_torch_and_of_every_family() -> None:
    """Every inquest pays for them."""
    assert 8 <= len(reuse.QUICK) <= 14
    assert {planted.expected for planted in reuse.QUICK} == {*FAMILIES, None}
    sources = [(PROGRAMS / f"{planted.program}.py").read_text() for planted in reuse.QUICK]
    assert not any("import torch" in source for source in sources)


def test_what_cannot_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason, not an error."""
    monkeypatch.setattr(catalogue.platform, "system", lambda: "Windows")
    assert catalogue.on_linux() == catalogue.torch() == catalogue.x86() == "is a fault of Linux"
    assert catalogue.cgroup() == "no control group with a memory limit can be made here"


def test_chosen_keeps_the_order_of_the_catalogue() -> None:
    """However they are asked for."""
    assert [planted.id for planted in reuse.chosen(["race", "oom-kill"], False)] == ["oom-kill", "race"]
    assert reuse.chosen(None, True) == reuse.QUICK
    assert reuse.chosen(None, False) == CATALOGUE
