"""What the ladder concludes, and above all what it does not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from built_trials import PLACE, died, well

from harness.decide.memory_ladder import LadderReading, compare, countable_peak, limits
from harness.model import LastEvent, Trial

GIB = 1 << 30
ELSEWHERE = LastEvent(1, 2, "backward", None, None)
PLENTY = {
    "headroom_bytes": 15 * GIB, "memory_limit_bytes": 20 * GIB, "memory_limit_name": "the machine's memory",
    "rss_at_end_bytes": GIB, "oom_kill_in_group": 0, "oom_kill_on_host": 0, "group_is_own": False,
}  # fmt: skip
LITTLE = {**PLENTY, "headroom_bytes": GIB // 10}
TORCH = {"sign": "DefaultCPUAllocator", "text": "DefaultCPUAllocator: can't allocate memory"}
LINE = {"names": "process", "text": "Out of memory: Killed process 77"}


def under(factor: float, kind: str = "cgroup v1", **facts: Any) -> dict[str, Any]:
    """Return the facts of a trial under a limit; its group was full unless told otherwise."""
    limit = int(factor * GIB)
    confinement = {"kind": kind, "limit_bytes": limit, "applied": True}
    return {
        "confinement": confinement,
        "group_is_own": True,
        "group_peak_bytes": limit,
        "oom_kill_in_group": 0,
        **facts,
    }


def rooms(*numbers: float) -> list[tuple[float, Trial]]:
    """Return rungs at which the target lived with room."""
    return [(one, well(int(one * 10), facts=under(one, group_peak_bytes=GIB // 4))) for one in numbers]


def kills(*numbers: float) -> list[tuple[float, Trial]]:
    """Return rungs at which the kernel's OOM killer ended the target."""
    return [
        (one, died(int(one * 10), signal="SIGKILL", ended_by="outside", facts=under(one, oom_kill_in_group=1)))
        for one in numbers
    ]


def ends(*numbers: float, **keys: Any) -> list[tuple[float, Trial]]:
    """Return rungs at which the target ended otherwise, its use at the limit."""
    more = keys.pop("facts", {})
    return [(one, died(int(one * 10), facts={**under(one), **more}, **keys)) for one in numbers]


GROUPS = [*rooms(1.5, 1.0), *kills(0.8, 0.6)]
SEGVS = [*rooms(1.5), *ends(0.6, signal="SIGSEGV")]
TEXTS = [*rooms(1.5), *ends(0.6, code=1, facts={"allocation_failure": TORCH})]


def read(rungs: list[tuple[float, Trial]], facts: dict[str, Any] = PLENTY, **keys: Any) -> LadderReading:
    """Return the reading for a death; its peak is 1 GiB."""
    return compare(died(1, facts=facts, peak=GIB, **keys), rungs)


class TestLimits:
    """The rungs."""

    def test_are_shares_of_the_peak_in_whole_pages(self) -> None:
        """The roomiest first."""
        assert limits(1000 * 4096) == [(1.5, 1500 * 4096), (1.0, 1000 * 4096), (0.8, 800 * 4096), (0.6, 600 * 4096)]
        assert limits(4097 * 3, [0.5, 1.0]) == [(1.0, 3 * 4096), (0.5, 4096)]
        assert limits(1, [1.0]) == [(1.0, 4096)]

    @pytest.mark.parametrize(
        ("kind", "facts", "peak"),
        [
            ("cgroup v1", {"group_peak_bytes": 700, "file_bytes": 400, "group_is_own": True}, 700),
            ("cgroup v1", {"group_peak_bytes": 700, "file_bytes": 400, "group_is_own": False}, GIB - 400),
            ("cgroup v2", {"file_bytes": GIB // 4, "data_peak_bytes": 5}, GIB - GIB // 4),
            ("cgroup v1", {}, GIB),
            ("RLIMIT_DATA", {"group_peak_bytes": 7, "data_peak_bytes": 3 * GIB}, 3 * GIB),
            ("RLIMIT_DATA", {}, GIB),
        ],
    )
    def test_are_shares_of_what_the_limit_counts(self, kind: str, facts: dict[str, Any], peak: int) -> None:
        """Not of RSS: pages of files are no load, reserved memory is one."""
        assert countable_peak(well(peak=GIB, facts=facts), kind) == peak
        assert countable_peak(well(), "cgroup v1") is None


class TestSignature:
    """What exhaustion looks like is induced."""

    def test_is_the_look_of_deaths_at_the_limit(self) -> None:
        """Each look once, with where the target dies."""
        reading = read(GROUPS, signal="SIGSEGV")
        assert [str(look) for look in reading.signature_of_exhaustion] == [
            "SIGKILL, OOM kill counted in its group, in forward backbone, call 2"
        ]
        assert list(reading.died_at) == [0.8, 0.6]

    @pytest.mark.parametrize(
        "rungs",
        [
            [],
            rooms(1.5, 0.6),
            [*rooms(1.5), *ends(0.6, signal="SIGKILL", ended_by="outside", facts={"group_peak_bytes": GIB // 9})],
            ends(0.6, signal="SIGSEGV"),  # where does it live?
            [*rooms(1.5), *ends(1.0, signal="SIGSEGV", facts={"group_peak_bytes": 9}), *ends(0.6, signal="SIGSEGV")],
        ],
        ids=["no rung", "all lived", "killed with room", "no rung with room", "dies so with room, too"],
    )
    def test_is_unknown(self, rungs: list[tuple[float, Trial]]) -> None:
        """Then nothing can look like it, and nothing is concluded."""
        reading = read(rungs, signal="SIGSEGV")
        assert (reading.signature_of_exhaustion, reading.matches) == ((), "unknown")
        assert any("no rung was low enough" in gap.reason for gap in reading.gaps)

    def test_unconfirmed_limit_is_no_rung(self) -> None:
        """The child did not say that its limit holds."""
        facts = under(0.6, oom_kill_in_group=1)
        facts["confinement"] = {**facts["confinement"], "applied": False}
        reading = read([*rooms(1.5), (0.6, died(6, signal="SIGKILL", facts=facts))], signal="SIGKILL")
        assert reading.signature_of_exhaustion == ()
        assert any("rung 0.6 is not confirmed" in gap.reason for gap in reading.gaps)


FULL = {**LITTLE, "oom_kill_in_group": 1, "oom_kill_on_host": 1}
OWN = {**PLENTY, "oom_kill_in_group": 1, "oom_kill_on_host": 1, "group_is_own": True}
NEIGHBOUR = {**PLENTY, "oom_kill_in_group": 1, "oom_kill_on_host": 1}
UNCOUNTED = {key: value for key, value in PLENTY.items() if not key.startswith("oom_kill")}
HOST_ONLY = {**PLENTY, "oom_kill_on_host": 1}
BURST = {**PLENTY, "rss_at_end_bytes": GIB, "headroom_bytes": GIB, "memory_limit_bytes": 4 * GIB}
KILLED = {"signal": "SIGKILL", "ended_by": "outside"}
SEGV = {"signal": "SIGSEGV"}
RAISED = {"code": 1}


class TestMatches:
    """Yes, no, or not known."""

    @pytest.mark.parametrize(
        ("rungs", "facts", "how", "matches"),
        [
            # the kernel's own word
            (GROUPS, {**PLENTY, "kernel_oom_line": LINE}, KILLED, "yes"),
            ([], {**PLENTY, "kernel_oom_line": LINE}, KILLED, "yes"),
            (GROUPS, {**PLENTY, "kernel_oom_line": {**LINE, "names": "group"}}, KILLED, "no"),
            (GROUPS, {**PLENTY, "kernel_oom_line": LINE}, SEGV, "no"),
            # an OOM kill was counted
            (GROUPS, FULL, KILLED, "yes"),
            (GROUPS, OWN, KILLED, "yes"),
            (GROUPS, NEIGHBOUR, KILLED, "unknown"),
            (GROUPS, FULL, RAISED, "unknown"),
            # a kill without any trace
            (GROUPS, PLENTY, KILLED, "no"),
            (GROUPS, HOST_ONLY, KILLED, "no"),
            (GROUPS, UNCOUNTED, KILLED, "unknown"),
            (GROUPS, LITTLE, KILLED, "unknown"),
            (TEXTS, PLENTY, KILLED, "no"),
            # a fault
            (GROUPS, PLENTY, SEGV, "no"),
            (GROUPS, UNCOUNTED, SEGV, "no"),
            (GROUPS, LITTLE, SEGV, "unknown"),
            (GROUPS, {}, SEGV, "unknown"),
            (SEGVS, LITTLE, SEGV, "yes"),
            (SEGVS, PLENTY, SEGV, "unknown"),
            (SEGVS, LITTLE, {**SEGV, "last_event": ELSEWHERE}, "unknown"),
            (SEGVS, LITTLE, {**SEGV, "last_event": None}, "unknown"),
            # an allocation failed in words
            (TEXTS, {**LITTLE, "allocation_failure": TORCH}, RAISED, "yes"),
            (TEXTS, {**PLENTY, "allocation_failure": TORCH}, RAISED, "unknown"),
            (TEXTS, {**PLENTY, "allocation_failure": {**TORCH, "wanted_bytes": 16 * GIB}}, RAISED, "yes"),
            (TEXTS, {**PLENTY, "allocation_failure": {**TORCH, "wanted_bytes": GIB}}, RAISED, "unknown"),
            (GROUPS, {**LITTLE, "allocation_failure": TORCH}, RAISED, "unknown"),
            # another exception
            (GROUPS, {**PLENTY, "python_error": {"type": "TypeError"}}, RAISED, "no"),
            (TEXTS, {**UNCOUNTED, "python_error": {"type": "TypeError"}}, RAISED, "unknown"),
        ],
    )  # fmt: skip
    def test_as_the_evidence_goes(
        self, rungs: list[tuple[float, Trial]], facts: dict[str, Any], how: dict[str, Any], matches: str
    ) -> None:
        """Where something speaks against an answer, there is none."""
        reading = read(rungs, facts, **how)
        assert reading.matches == matches, [str(reason.text) for reason in reading.reasons]
        assert all(reason.evidence for reason in reading.reasons) or facts == {}

    def test_burst_after_the_last_sample_is_allowed_for(self) -> None:
        """The kernel saw 1 GiB, the last sample 100 MiB: what was left may have been far less."""
        facts = {**BURST, "headroom_bytes": GIB, "rss_at_end_bytes": GIB // 10}
        assert read(GROUPS, facts, **SEGV).matches == "unknown"
        assert read(GROUPS, {**facts, "rss_at_end_bytes": GIB}, **SEGV).matches == "no"

    def test_hang_is_an_ending(self) -> None:
        """A target that hangs with plenty left does not look like a kill."""
        hung = dataclasses.replace(read_death(), outcome=type(read_death().outcome)("hung"))
        assert compare(hung, GROUPS).matches == "no"

    def test_what_lived_is_not_compared(self) -> None:
        """There is no death."""
        assert compare(well(facts=PLENTY), GROUPS).matches == "unknown"


def read_death() -> Trial:
    """Return a death with plenty left."""
    return died(1, facts=PLENTY, peak=GIB, signal="SIGKILL", ended_by="harness")


class TestWords:
    """Reasons and gaps."""

    def test_say_every_rung_and_the_conclusion(self) -> None:
        """The roomiest first; the last sentence concludes."""
        texts = [reason.text for reason in read(list(reversed(GROUPS)), signal="SIGSEGV").reasons]
        assert texts == [
            "at 1.5 x the peak (1.50 GiB, cgroup v1): the target lived (completed)",
            "at 1 x the peak (1.00 GiB, cgroup v1): the target lived (completed)",
            "at 0.8 x the peak (819 MiB, cgroup v1): SIGKILL, OOM kill counted in its group, in forward backbone, "
            "call 2, at its limit",
            "at 0.6 x the peak (614 MiB, cgroup v1): SIGKILL, OOM kill counted in its group, in forward backbone, "
            "call 2, at its limit",
            "threads=2/1: SIGSEGV, in forward backbone, call 2: induced exhaustion never ended so, no allocation is "
            "known to have failed, and plenty of memory was left; 15.0 GiB of 20.0 GiB were left "
            "(the machine's memory)",
        ]

    def test_same_death_with_room_speaks_against(self) -> None:
        """The limit was not reached, and it died all the same."""
        rungs = [*ends(1.5, facts={"group_peak_bytes": GIB // 4}, **SEGV), *kills(0.6)]
        reading = read(rungs, LITTLE, **SEGV)
        assert reading.matches == "unknown"
        assert [reason.text for reason in reading.reasons if "though its limit" in reason.text] == [
            "at 1.5 x the peak it died like threads=2/1, though its limit was not reached"
        ]

    def test_groups_alone_are_a_gap(self) -> None:
        """They kill: how a failing allocation looks has not been seen."""
        assert any("no allocation was made to fail" in gap.reason for gap in read(GROUPS, **SEGV).gaps)
        mixed = [*GROUPS, *ends(0.5, code=1, facts={"allocation_failure": TORCH})]
        assert not read(mixed, **SEGV).gaps

    def test_place_is_the_built_one(self) -> None:
        """Guards the table above."""
        assert (PLACE.phase, PLACE.module, PLACE.call) == ("forward", "backbone", 2)


def near(factor: float, **keys: Any) -> tuple[float, Trial]:
    """Return a rung at which an allocation was refused: use had come near the limit, and nobody had looked."""
    limit = int(factor * GIB)
    facts = under(factor, "RLIMIT_DATA", headroom_bytes=limit // 20, memory_limit_bytes=limit)
    return factor, died(int(factor * 10), facts=facts, **{"signal": "SIGSEGV", **keys})


class TestFollows:
    """A death that moves with the limit: the program that grows until it is refused lives on no rung."""

    OWN: dict[str, Any] = {**PLENTY, "headroom_bytes": GIB // 20, "memory_limit_bytes": GIB}
    SHARES = (1.0, 0.8, 0.6)

    def test_same_stack_under_each_lower_limit_is_exhaustion(self) -> None:
        """Each time near that limit."""
        reading = read([near(share) for share in self.SHARES], self.OWN, signal="SIGSEGV")
        assert reading.matches == "yes"
        assert "the death follows the limit: under 819 MiB, 614 MiB" in reading.reasons[-1].text

    @pytest.mark.parametrize(
        ("facts", "rungs"),
        [
            (PLENTY, [near(0.8), near(0.6)]),
            (OWN, [near(0.8)]),
            (OWN, [near(1.5), near(1.0), near(0.6)]),
            (OWN, [near(0.8), near(0.6, loose="another < stack (2)")]),
            (OWN, [near(0.8), near(0.6, signal="SIGABRT")]),
            (OWN, [near(0.8), (0.6, died(6, signal="SIGSEGV", facts={**under(0.6), **PLENTY}))]),
            (OWN, [near(0.8), *rooms(0.6)]),
            (OWN, [near(0.8), near(0.6, loose=None)]),
        ],
        ids=["plenty left", "one rung", "one lower rung", "another stack", "another signal", "far from it", "lived",
             "no stack"],
    )  # fmt: skip
    def test_anything_less_is_not(self, facts: dict[str, Any], rungs: list[tuple[float, Trial]]) -> None:
        """Where one part is missing, the ladder is read as ever."""
        reading = read(rungs, facts, signal="SIGSEGV")
        assert not any("follows the limit" in reason.text for reason in reading.reasons)

    def test_death_that_comes_again_on_a_rung_shows_nothing_of_exhaustion(self) -> None:
        """A failure by chance strikes on rungs as well: with plenty left it needed no limit."""
        again = ends(1.0, signal="SIGSEGV")
        reading = read([*rooms(1.5), *again, *kills(0.8, 0.6)], signal="SIGSEGV")
        assert [look.ending for look in reading.signature_of_exhaustion] == ["SIGKILL"]
        assert reading.matches == "no"
