"""threading-fault and memory-exhaustion, as their interventions decide: established, ruled out, supported, open."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import case, proven, well
from decided_cases import (
    ALL,
    COPIES,
    GIB,
    LADDER,
    MEMORY,
    NATIVE,
    ONE,
    THREADS,
    TWO,
    deaths,
    judged,
    lives,
    rung,
    status,
)  # fmt: skip

from harness.model import Control, Trial


class TestThreading:
    """One thread against the failing number."""

    @pytest.mark.parametrize(
        ("under", "expected"),
        [
            (lives(5, "threads=1"), "established"), (deaths(3, "threads=1"), "ruled-out"),
            ([*deaths(3, "threads=1"), *lives(9, "threads=1")], "ruled-out"), ([], "open"),
            (lives(1, "threads=1"), "open"), (deaths(2, "threads=1"), "open"),
            ([*deaths(2, "threads=1"), *lives(2, "threads=1")], "open"),
            (deaths(12, "threads=1", signal="SIGABRT"), "open"),
        ],
        ids=["gone", "back", "back at times", "not tried", "one", "two", "both", "other deaths"],
    )  # fmt: skip
    def test_is_decided_by_one_thread(self, under: list[Trial], expected: str) -> None:
        """Gone: established. Three same deaths: ruled out. Anything else: open."""
        assert expected == status(THREADS, *deaths(5), *under)

    def test_matrix_cell_at_one_thread_decides_as_well(self) -> None:
        """All else equal; a cell with another batch size besides tells nothing."""
        same = [well(one, factors=ONE) for one in range(5)]
        other = [well(one, factors={"threads": 1, "batch_size": 1}) for one in range(5)]
        assert (status(THREADS, *deaths(5), *same), status(THREADS, *deaths(5), *other)) == ("established", "open")

    def test_sentence_has_the_numbers_and_every_trial(self) -> None:
        """Counts, p, and the exit record of each trial that was counted."""
        reason = judged(THREADS, case(*deaths(5), *lives(5, "threads=1"))).reasons[0]
        assert "removes the failure: failed 0 of 5 with it (rate 0% to 52%), 5 of 5 without" in reason.text
        cited = [f"trials/threads=2,batch_size=4/{one}/exit.json:1" for one in range(1, 6)]
        cited += [f"trials/threads=2,batch_size=4+threads=1/{one}/exit.json:1" for one in range(50, 55)]
        assert cited == [str(source) for source in reason.evidence]

    def test_established_needs_no_control_and_ruled_out_does(self) -> None:
        """What was seen was seen; what was not seen may have been missed."""
        assert status(THREADS, *deaths(5), *lives(5, "threads=1"), controls=()) == "established"
        for controls in ((), proven(NATIVE), (Control("c", THREADS, "", False),)):
            finding = judged(THREADS, case(*deaths(5), *deaths(3, "threads=1"), controls=controls))
            assert (finding.status, [gap.probe for gap in finding.gaps]) == ("open", ["control of threading-fault"])
            assert finding.reasons

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ({"factors": ONE}, "ruled-out"), ({"factors": {}, "facts": {"threads_max": 1}}, "ruled-out"),
            ({"factors": {}, "facts": {"threads_max": 2}}, "open"), ({"factors": {}}, "open"),
        ],
    )  # fmt: skip
    def test_process_of_one_thread_needs_no_intervention(self, keys: dict[str, Any], expected: str) -> None:
        """Three same deaths there rule it out; two do not."""
        assert expected == status(THREADS, *deaths(3, **keys))
        assert status(THREADS, *deaths(2, **keys)) == "open"

    @pytest.mark.parametrize("facts", [{"openmp_mix": True}, {"openmp_copies": COPIES}])
    def test_two_runtimes_support_and_are_never_ruled_out(self, facts: dict[str, Any]) -> None:
        """They can damage each other at one thread too."""
        assert status(THREADS, *deaths(1, facts=facts)) == "supported"
        assert status(THREADS, *deaths(5, facts=facts), *deaths(3, "threads=1")) == "supported"
        assert status(THREADS, *deaths(5, facts=facts, factors=ONE)) == "supported"
        assert status(THREADS, *deaths(5, facts=facts), *lives(5, "threads=1")) == "established"

    def test_one_runtime_is_no_reason_and_two_are(self) -> None:
        """A single runtime is the normal case; of two, the lines in maps.txt are cited."""
        facts = {"openmp_runtimes": ["C:\\b\\libiomp5md.dll"], "openmp_mix": False}
        finding = judged(THREADS, case(*deaths(1, facts=facts)))
        assert (finding.status, finding.reasons) == ("open", ())
        facts = {"openmp_runtimes": ["C:\\b\\libiomp5md.dll", "C:\\c\\vcomp140.dll"], "openmp_mix": True}
        told = judged(THREADS, case(*deaths(1, facts=facts))).reasons[-1]
        assert told.text.split(": ", 1)[1] == "OpenMP runtimes loaded: libiomp5md.dll, vcomp140.dll"
        assert [str(source) for source in told.evidence] == ["trials/threads=2,batch_size=4/1/maps.txt:3"]

    @pytest.mark.parametrize(("known", "told"), [(False, True), (True, False), (None, False)])
    def test_pool_worker_is_told_and_supports_nothing(self, known: bool | None, told: bool) -> None:
        """A SIGSEGV on a worker alone is not a race."""
        facts = {"fault_thread": {"tid": 9, "name": "pool", "known_to_python": known}}
        finding = judged(THREADS, case(*deaths(1, facts=facts)))
        assert ("open", told) == (finding.status, any("unknown to Python" in one.text for one in finding.reasons))

    def test_what_still_dies_at_one_thread_is_not_established(self) -> None:
        """A fault on a worker has another stack than the same fault on the main thread."""
        under = [*lives(5, "threads=1"), *deaths(7, "threads=1", loose="kernel < main (2)")]
        assert status(THREADS, *deaths(5), *under) != "established"

    def test_intervention_that_did_not_take_hold_rules_nothing_out(self) -> None:
        """Four of torch's threads under threads=1: then nothing was intervened."""
        under = deaths(3, "threads=1", facts={"torch_threads": 4, "threads_max": 9})
        assert status(THREADS, *deaths(5), *under) == "open"

    def test_cell_at_one_thread_that_has_more_rules_nothing_out(self) -> None:
        """Torch itself told of four threads."""
        assert status(THREADS, *deaths(5, factors=ONE, facts={"torch_threads": 4})) == "open"


class TestMemory:
    """The ladder."""

    @pytest.mark.parametrize(
        ("facts", "keys", "expected"),
        [
            ({}, {}, "ruled-out"),
            ({"headroom_bytes": 9}, {}, "supported"),
            ({"allocation_failure": {"sign": "MemoryError", "text": "MemoryError"}}, {}, "supported"),
            ({"headroom_bytes": 4 * GIB}, {}, "ruled-out"),
            ({"headroom_bytes": 2 * GIB}, {}, "open"),
            ({"oom_kill_in_group": 1, "headroom_bytes": 9}, {"signal": "SIGKILL"}, "established"),
            ({"kernel_oom_line": {"names": "process", "text": "Killed"}}, {"signal": "SIGKILL"}, "established"),
            ({}, {"signal": "SIGKILL"}, "ruled-out"),
        ],
    )
    def test_decides(self, facts: dict[str, Any], keys: dict[str, Any], expected: str) -> None:
        """Yes establishes; no rules out where nothing else is a sign; not known leaves what the signs say."""
        dead = deaths(5, facts=facts, **{"ended_by": "outside" if keys else "itself", **keys})
        assert expected == status(MEMORY, *dead, *LADDER)

    def test_without_it_nothing_is_decided(self) -> None:
        """Plenty left speaks against it and no more."""
        finding = judged(MEMORY, case(*deaths(5), controls=ALL))
        assert (finding.status, [gap.probe for gap in finding.gaps]) == ("open", ["memory ladder"])

    @pytest.mark.parametrize("number", range(4))
    def test_ladder_that_killed_nothing_decides_nothing(self, number: int) -> None:
        """No rung was low enough to show what exhaustion looks like."""
        rungs = [rung(share, False) for share in (1.5, 1.0, 0.8, 0.6)[: number + 1]]
        assert status(MEMORY, *deaths(5), *rungs) == "open"

    def test_ruled_out_needs_a_control_and_established_does_not(self) -> None:
        """The gap names it."""
        finding = judged(MEMORY, case(*deaths(5), *LADDER, controls=proven(THREADS)))
        assert finding.status == "open" and "control of memory-exhaustion" in [gap.probe for gap in finding.gaps]
        killed = deaths(5, facts={"oom_kill_in_group": 1, "headroom_bytes": 9}, signal="SIGKILL", ended_by="outside")
        assert status(MEMORY, *killed, *LADDER, controls=()) == "established"

    def test_sign_of_any_failure_keeps_it_from_being_ruled_out(self) -> None:
        """A second cell died of a failed allocation: memory is not excluded, whatever the first cell died of."""
        facts = {"allocation_failure": {"sign": "bad_alloc", "text": "std::bad_alloc"}, "duration_seconds": 9.0}
        other = deaths(1, factors={**TWO, "batch_size": 8}, signal="SIGABRT", facts=facts)
        assert status(MEMORY, *deaths(5), *other, *LADDER) != "ruled-out"
