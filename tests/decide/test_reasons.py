"""A reason stands under a hypothesis where it speaks for it or against it, says which, and stands there once."""

from __future__ import annotations

import random

import pytest
from built_trials import case, well
from decided_cases import ALL, HELD, LADDER, MEMORY, NATIVE, STACK, THREADS, deaths, lives
from test_simulated_judging import Inquest

from harness.decide.effects import Does
from harness.decide.hypotheses import HYPOTHESES, Case
from harness.decide.hypotheses.speaking import by_effect, con, pro, spoken
from harness.model import Finding, Reason, Source, Speaks, Status, Trial

SETS = 200
ONE_RUNTIME = {"openmp_runtimes": ["/x/libgomp.so.1"]}
SEVERAL = {"openmp_runtimes": ["/x/libgomp.so.1", "/y/libiomp5.so"]}


def told(identity: str, asked: Case) -> Finding:
    """Return a finding as the report has it."""
    return spoken(next(hypothesis for hypothesis in HYPOTHESES if identity == hypothesis.ID).judge(asked))


def said(identity: str, *trials: Trial) -> dict[str, str]:
    """Return text -> which way it speaks."""
    return {one.text: str(one.speaks) for one in told(identity, case(*trials, controls=ALL)).reasons}


@pytest.mark.parametrize("seed", range(3))
def test_every_reason_of_a_simulated_inquest_says_which_way_it_speaks(seed: int) -> None:
    """Once; what is established has a reason for it, what is ruled out one against it."""
    dice = random.Random(100 + seed)
    for _ in range(SETS):
        one = Inquest(dice)
        asked = case(*one.trials(), controls=one.controls())
        for hypothesis in HYPOTHESES:
            finding = spoken(hypothesis.judge(asked))
            texts = [reason.text for reason in finding.reasons]
            ways = [reason.speaks for reason in finding.reasons]
            assert len(texts) == len(set(texts)), finding
            assert None not in ways, finding
            assert finding.status is not Status.ESTABLISHED or Speaks.FOR in ways, finding
            assert finding.status is not Status.RULED_OUT or Speaks.AGAINST in ways, finding


def test_nothing_to_judge_says_so() -> None:
    """No failure: nothing could have caused it."""
    for hypothesis in HYPOTHESES:
        (reason,) = spoken(hypothesis.judge(case(well()))).reasons
        assert reason.speaks is Speaks.AGAINST


@pytest.mark.parametrize(
    ("identity", "trials", "text", "way"),
    [
        (THREADS, [*deaths(5), *lives(5, "threads=1")], "threads=1: removes the failure", "for"),
        (THREADS, [*deaths(5), *deaths(3, "threads=1")], "threads=1: leaves the failure", "against"),
        (NATIVE, [*deaths(5), *deaths(3, "threads=1")], "threads=1: leaves the failure", "for"),
        (NATIVE, [*deaths(5), *lives(5, "threads=1")], "threads=1: removes the failure", "against"),
        (MEMORY, [*deaths(1), *LADDER], "it died 15.0 GiB of 20.0 GiB were left (the machine's memory)", "against"),
        (MEMORY, deaths(1, facts={"headroom_bytes": 9}), " were left (the machine's memory)", "for"),
        (STACK, deaths(1, facts={"fault_address": "0x12"}), "the address of the fault is known", "against"),
    ],
)  # fmt: skip
def test_which_way(identity: str, trials: list[Trial], text: str, way: str) -> None:
    """The same sentence can speak for one hypothesis and against another."""
    found = [one for words, one in said(identity, *trials).items() if text in words]
    assert found == [way]


def test_what_has_not_decided_is_a_gap() -> None:
    """With its numbers, and no reason."""
    finding = told(THREADS, case(*deaths(5, facts=HELD), *lives(2, "threads=1"), controls=ALL))
    assert not any("threads=1" in reason.text for reason in finding.reasons)
    (gap,) = [gap for gap in finding.gaps if gap.probe == "repeats at one thread"]
    assert "not decided yet: failed 0 of 2 with it" in gap.reason


def test_one_runtime_is_no_sign_of_threads() -> None:
    """Every program with torch has one; two are a sign."""
    assert not any("runtimes loaded" in text for text in said(THREADS, *deaths(1, facts=ONE_RUNTIME)))
    assert any("runtimes loaded" in text for text in said(THREADS, *deaths(1, facts=SEVERAL)))


def test_how_it_died_is_no_reason_against() -> None:
    """Under a family that is ruled out stands what rules it out."""
    ways = said(NATIVE, *deaths(5), *lives(5, "threads=1"))
    assert set(ways.values()) == {"against"}


def test_the_same_sentence_of_two_records_is_one() -> None:
    """With the lines of both."""
    one, other = Source("a", 1), Source("b", 2)
    finding = Finding("x", Status.SUPPORTED, (Reason("t", (one,)), Reason("u"), Reason("t", (other, one))))
    assert [(reason.text, reason.evidence) for reason in spoken(finding).reasons] == [("t", (one, other)), ("u", ())]


def test_marks_stay() -> None:
    """What is marked already is not turned; what is undecided says nothing."""
    against = con([Reason("a")])
    assert pro(against) == against
    assert by_effect(Does.UNDECIDED, against) == ()
