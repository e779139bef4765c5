"""When the agenda goes further down the memory ladder, and when it stops."""

from __future__ import annotations

import itertools
import random
from typing import Any

from built_trials import died, trial, well
from decided_cases import GIB, HELD, PLENTY
from test_next_trial import GROUP, TWO, counts, first, ran, simulate

from harness.decide.interventions import LADDER, LOW_RUNGS, LOWER_RUNGS, RUNGS
from harness.decide.memory_ladder import compare
from harness.decide.memory_ladder_endings import read_rung
from harness.decide.offers import Step
from harness.model import Trial

TIGHT = tuple(share for share in LADDER if share < 1)
ROOMY = tuple(share for share in LADDER if share >= 1)
TIGHT_IDS = {f"memory={share:g}x" for share in TIGHT}
NULL = {"allocation_failure": {"sign": "MemoryError", "text": "MemoryError"}}
ENDINGS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"signal": "SIGKILL", "ended_by": "outside"}, {"oom_kill_in_group": 1}),
    ({"signal": "SIGKILL", "ended_by": "outside"}, {}),
    ({"signal": "SIGSEGV"}, HELD),
    ({"signal": "SIGSEGV"}, {**HELD, **NULL}),
    ({"signal": "SIGABRT"}, NULL),
    ({"signal": None, "code": 1}, NULL),
)  # fmt: skip


def rung(share: float, kills: int | None, kind: str = GROUP) -> Trial:
    """Return a trial at one rung: it lived (None), or ended in one of the endings, with its use at the limit."""
    limit = int(share * GIB)
    full = limit if kills is not None and share < 1 else GIB // 2
    facts: dict[str, Any] = {
        **PLENTY, "confinement": {"kind": kind, "limit_bytes": limit, "applied": True}, "group_is_own": True,
        "group_peak_bytes": full,
    }  # fmt: skip
    keys: dict[str, Any] = {"under": f"memory={share:g}x", "factors": TWO, "peak": GIB}
    if kills is None:
        return well(1, **keys, facts=facts)
    how, more = ENDINGS[kills]
    return died(1, **keys, **how, facts={**facts, **more})


class TestRungs:
    """The limits."""

    def test_rungs_are_shares_of_what_the_limit_counts(self) -> None:
        """Of the reference's own peak, for the means that this machine has; the tight ones first, as they are short."""
        own = {"group_peak_bytes": 1000 << 20, "group_is_own": True}
        dead = first(facts={**own, "data_peak_bytes": 3000 << 20})
        for confinement, peak in ((GROUP, 1000 << 20), ("RLIMIT_DATA", 3000 << 20)):
            seen: list[int | None] = []

            def again(step: Step, number: int, seen: list[int | None] = seen) -> Trial:
                seen += [step.memory_limit_bytes] if step.intervention in (*RUNGS, *LOW_RUNGS) else []
                return ran(step, number, True, facts={"group_peak_bytes": 1, "data_peak_bytes": 1})

            simulate(dead, again, confinement)
            assert [int(share * peak) for share in (*TIGHT, *ROOMY, *LOWER_RUNGS)] == seen


class TestRoomyRungs:
    """Asked only where they can change what the tight ones have told."""

    def asked(self, kills: int | None) -> set[str]:
        """Return the rungs that are asked of a fault with plenty of memory left, where tight limits end it so."""

        def again(step: Step, number: int) -> Trial:
            share = step.intervention.memory_share if step.intervention else None
            return rung(share, kills) if share and share < 1 else ran(step, number, True, facts={**PLENTY, **HELD})

        found = counts(simulate(first(facts={**PLENTY, **HELD}), again))
        return {name for name in found if name.startswith("memory=")}

    def test_not_where_each_tight_one_left_its_sign(self) -> None:
        """The kernel's count of its kill, or the words of a failed allocation."""
        assert [self.asked(kills) for kills in (0, 4, 5)] == [TIGHT_IDS] * 3

    def test_where_a_death_without_a_sign_is_to_be_compared(self) -> None:
        """What the target does with room tells whether the limit brought it about."""
        every = {f"memory={share:g}x" for share in LADDER}
        assert all(self.asked(kills) >= every for kills in (None, 1, 2, 3))

    def test_they_could_not_have_taken_it_back(self) -> None:
        """Whatever the target does with room that it does not use up, on 2000 ladders that told without it."""
        dice, told = random.Random(5), 0
        deaths = [first(facts={**PLENTY, **HELD}), first(signal="SIGABRT", facts={**PLENTY, **HELD})]
        deaths += [trial(1, "hung", factors=TWO, peak=GIB, facts=PLENTY, ended_by="harness")]
        deaths += [died(1, factors=TWO, peak=GIB, **how, facts={**PLENTY, **more}) for how, more in ENDINGS]
        ways = (None, *range(len(ENDINGS)))
        for death, tight in itertools.product(deaths, itertools.product(ways, repeat=len(TIGHT))):
            low = [(share, rung(share, kills)) for share, kills in zip(TIGHT, tight, strict=True)]
            reading = compare(death, low)
            signed = all(read_rung(*one).look is None or read_rung(*one).look.sign for one in low)  # type: ignore[union-attr]
            for _ in range(10 if signed and reading.matches != "unknown" else 0):
                roomy = [(share, rung(share, dice.choice(ways))) for share in ROOMY]
                assert compare(death, [*roomy, *low]).matches == reading.matches
                told += 1
        assert told > 500


class TestLowerRungs:
    """Only as long as no limit has shown what exhaustion looks like."""

    def test_lower_rungs_are_not_climbed_once_the_ladder_has_told(self) -> None:
        """A death that follows the limit shows no other look of exhaustion, and needs none."""
        left = {"headroom_bytes": 8 << 20, "memory_limit_bytes": 256 << 20, "memory_limit_name": "RLIMIT_DATA"}
        dead = first(facts={**left, "data_peak_bytes": 250 << 20}, factors={})

        def again(step: Step, number: int) -> Trial:
            limit = step.memory_limit_bytes or 256 << 20
            confined = {"confinement": {"kind": "RLIMIT_DATA", "limit_bytes": limit, "applied": True}}
            facts = {**left, "memory_limit_bytes": min(limit, 256 << 20), **confined}
            return ran(step, number, True, facts={"fault_address": "0x0", **facts})

        assert set(counts(simulate(dead, again))) == {"", *(rung.id for rung in RUNGS)}
