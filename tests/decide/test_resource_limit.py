"""What was refused: wants, messengers, resource-limit, and what they keep other families from."""

from __future__ import annotations

from typing import Any

import pytest
from built_trials import case
from decided_cases import ALL, GIB, HELD, MEMORY, NATIVE, THREADS, deaths, judged, lives, status
from test_simulated_judging import full, limits, named, raised, refusal, sent

from harness.decide import (
    messengers,
    next_trial,
    observed,
    offers,
    refusals,
    study,
    wants,
)
from harness.decide.hypotheses import HYPOTHESES
from harness.decide.verdict import decide
from harness.facts.refused import wording
from harness.model import Fact, Source, Trial

LIMIT, IO, EXCEPTION, EXIT, KILLED = (
    "resource-limit", "io-fault", "python-exception", "deliberate-exit", "external-kill",
)  # fmt: skip
RAISED: dict[str, Any] = {"signal": None, "code": 1}
WATCHED = ("refusals_watched", True)
THREAD_WORDS = [raised("RuntimeError", "can't start new thread"), named(wording.THREADS, "can't start new thread")]
TERMINATE = ("terminate_exception", {"type": "c10::Error", "what": "unexpected pos 64 vs 0"})
NO_SPACE = refusal("write", "ENOSPC", {"path": "/data/best.pt", "free_bytes": 0, "free_inodes": 7})


def dead(number: int, *facts: tuple[str, Any], under: str | None = None, **keys: Any) -> list[Trial]:
    """Return so many deaths with these facts (a name may come more than once)."""
    made = deaths(number, under, **keys)
    return [
        type(one)(**{**vars(one), "facts": (
            *(fact for fact in one.facts if fact.name not in {name for name, _ in facts}),
            *(Fact(name, value, (Source(f"trials/{one.id}/x", 1),)) for name, value in facts),
        )})
        for one in made
    ]  # fmt: skip


def verdict(*trials: Trial) -> tuple[str, str | None]:
    """Return the verdict where every control has fired."""
    asked = case(*trials, controls=ALL)
    found = decide(asked, [hypothesis.judge(asked) for hypothesis in HYPOTHESES], "harness run")
    return found.status, found.cause


class TestRefusals:
    """Which resource a call wanted."""

    @pytest.mark.parametrize(
        ("call", "error", "about", "resource"),
        [
            ("clone3", "EAGAIN", {}, wording.THREADS), ("read", "EAGAIN", {}, None),
            ("openat", "EMFILE", {}, wording.FILES), ("inotify_init1", "EMFILE", {}, wording.INOTIFY),
            ("inotify_add_watch", "ENOSPC", {}, wording.INOTIFY), ("write", "ENOSPC", {}, wording.DISK),
            ("ftruncate", "ENOSPC", {"path": "/dev/shm/psm_1"}, wording.SHARED),
            ("write", "EFBIG", {}, wording.FILE_SIZE), ("write", "EDQUOT", {}, wording.QUOTA),
            ("mlock", "ENOMEM", {}, wording.LOCKED), ("mmap", "ENOMEM", {}, wording.MEMORY),
            ("mmap", "ENOMEM", limits("vm.max_map_count", 65530), wording.MAPPINGS),
            ("mmap", "ENOMEM", limits("RLIMIT_DATA", GIB), wording.MEMORY), ("write", "EPIPE", {}, None),
            ("read", "EIO", {}, wording.STORAGE),
        ],
    )  # fmt: skip
    def test_resource(self, call: str, error: str, about: dict[str, Any], resource: str | None) -> None:
        """By the call, the error, and the limit that is full."""
        (one,) = dead(1)
        assert refusals.resource_of(refusal(call, error, about)[1], one) == resource

    def test_address_space_is_a_limit_where_little_is_used(self) -> None:
        """A reservation that is refused is no want of memory; an allocation that fails is."""
        about = limits("RLIMIT_AS", 8 * GIB)
        (one,) = dead(1, ("rss_at_end_bytes", GIB))
        (said,) = dead(1, ("rss_at_end_bytes", GIB), ("allocation_failure", {"text": "t", "sign": "s"}))
        value = refusal("mmap", "ENOMEM", about)[1]
        assert refusals.resource_of(value, one) == wording.ADDRESSES
        assert refusals.resource_of(value, said) == wording.MEMORY

    @pytest.mark.parametrize(("before", "is_near"), [(0.01, True), (2.9, True), (9.0, False), (-2.0, False)])
    def test_only_near_the_death(self, before: float, is_near: bool) -> None:
        """What came long before was survived, what came after brought nothing about."""
        (one,) = dead(1, refusal("openat", "EMFILE", before=before), WATCHED, signal="SIGABRT")
        assert bool(wants.of(one)) is is_near

    def test_words_name_an_older_one(self) -> None:
        """A program may take its time to report."""
        (one,) = dead(1, refusal("openat", "EMFILE", before=9.0), named(wording.FILES, "w"), WATCHED, **RAISED)
        assert any(want.is_observed for want in wants.of(one))


class TestObserved:
    """The system was seen to refuse: established, and its rivals ruled out, in three trials."""

    @pytest.mark.parametrize(
        ("facts", "keys", "cause"),
        [
            ([*THREAD_WORDS, refusal("clone3", "EAGAIN", limits("/g/pids.max"))], RAISED, LIMIT),
            ([("exit_call", {"call": "exit", "code": 1, "thread": "MainThread"}),
              refusal("clone", "EAGAIN", limits("RLIMIT_NPROC"))], RAISED, LIMIT),
            ([TERMINATE, *HELD.items(), NO_SPACE], {"signal": "SIGABRT"}, IO),
            ([raised("RuntimeError", "file write failed"), NO_SPACE], RAISED, IO),
            ([sent("SIGKILL", "oom-killer")], {"signal": "SIGKILL", "ended_by": "outside"}, MEMORY),
            ([sent("SIGKILL", "stranger")], {"signal": "SIGKILL", "ended_by": "outside"}, KILLED),
        ],
        ids=["threads", "exit of a runtime", "terminate", "full disk", "OOM killer", "stranger"],
    )  # fmt: skip
    def test_names_the_cause(self, facts: list[tuple[str, Any]], keys: dict[str, Any], cause: str) -> None:
        """And nothing more is asked for."""
        trials = dead(3, *facts, WATCHED, **keys)
        assert verdict(*trials) == ("named", cause)
        asked = study.of(trials)
        assert asked is not None and offers.is_observed(asked) and next_trial.next_step(tuple(trials), None) is None

    def test_not_where_the_disk_had_room(self) -> None:
        """The refusal is told, and establishes nothing."""
        about = {"path": "/data/best.pt", "free_bytes": 9 * GIB, "free_inodes": 7}
        trials = dead(3, TERMINATE, *HELD.items(), refusal("fallocate", "ENOSPC", about), WATCHED, signal="SIGABRT")
        assert verdict(*trials) == ("open", None)

    def test_two_kinds_are_not_one(self) -> None:
        """One death of a full disk, two of threads."""
        trials = dead(2, refusal("clone", "EAGAIN", limits("pids.max")), WATCHED, **RAISED)
        other = dead(3, NO_SPACE, TERMINATE, WATCHED, signal="SIGABRT")[2:]
        assert observed.only([*trials, *other]) is None and verdict(*trials, *other) == ("open", None)


class TestWithoutTheWitness:
    """An ordinary user: words, samples, interventions."""

    FULL = full(wording.THREADS, "/g/pids.max")

    def test_words_support(self) -> None:
        """The same words stand for want of memory for a thread's stack."""
        assert status(LIMIT, *dead(5, *THREAD_WORDS, **RAISED)) == "supported"

    def test_words_and_a_full_limit_agree(self) -> None:
        """In three failures; two may be chance."""
        assert status(LIMIT, *dead(3, *THREAD_WORDS, self.FULL, **RAISED)) == "established"
        assert status(LIMIT, *dead(2, *THREAD_WORDS, self.FULL, **RAISED)) == "supported"

    def test_less_need_removes_it(self) -> None:
        """One thread: no threading fault, since a limit was named and plenty of memory was left."""
        trials = [*dead(5, *THREAD_WORDS, **RAISED), *lives(5, "threads=1")]
        assert (status(LIMIT, *trials), status(THREADS, *trials)) == ("established", "ruled-out")
        poor = [*dead(5, *THREAD_WORDS, ("headroom_bytes", 9), **RAISED), *lives(5, "threads=1")]
        assert status(LIMIT, *poor) == "supported" and status(THREADS, *poor) != "established"

    def test_limit_lifted_removes_it(self) -> None:
        """Soft limits raised to the hard ones."""
        words = [raised("OSError", "Too many open files", 24), named(wording.FILES, "Too many open files")]
        assert status(LIMIT, *dead(5, *words, **RAISED), *lives(5, "limits=lifted")) == "established"

    def test_words_that_no_refusal_bears_out(self) -> None:
        """Anybody can raise an error number: with the witness, nothing was refused."""
        trials = dead(3, raised("OSError", "m", 24), named(wording.FILES, "m", 24), WATCHED, **RAISED)
        assert status(LIMIT, *trials) == "supported" and status(EXCEPTION, *trials) == "supported"


class TestMessengers:
    """An exception, an abort or an exit that only reports."""

    @pytest.mark.parametrize(
        ("stderr", "facts", "kind"),
        [
            ("", [TERMINATE], messengers.TERMINATE),
            ("a.out: f.c:3: main: Assertion `x' failed.", [], messengers.ASSERTION),
            ("memory allocation of 8 bytes failed", [], messengers.RUNTIME), ("", [], None),
            ("free(): double free detected in tcache 2", [], None),
        ],
    )  # fmt: skip
    def test_kinds_of_abort(self, stderr: str, facts: list[tuple[str, Any]], kind: str | None) -> None:
        """A damaged heap is native code's own fault."""
        (one,) = dead(1, *facts, signal="SIGABRT")
        assert messengers.kind(one, tuple(stderr.splitlines())) == kind

    def test_terminate_is_no_native_fault_where_nobody_looked(self) -> None:
        """What it reports is not known; with the witness, and nothing refused, it is native code's own."""
        under = dead(3, TERMINATE, *HELD.items(), ("threads_max", 1), under="threads=1", signal="SIGABRT")
        from decided_cases import LADDER

        blind = [*dead(5, TERMINATE, *HELD.items(), signal="SIGABRT"), *under, *LADDER]
        finding = judged(NATIVE, case(*blind, controls=ALL))
        assert (finding.status, [gap.probe for gap in finding.gaps]) == ("supported", ["refusals"])
        seen = [*dead(5, TERMINATE, *HELD.items(), WATCHED, signal="SIGABRT"), *under, *LADDER]
        assert status(NATIVE, *seen) == "established"

    @pytest.mark.parametrize("identity", [EXCEPTION, EXIT])
    def test_words_that_name_a_resource_stand(self, identity: str) -> None:
        """Neither an exception nor an exit is the cause while they are not explained."""
        exit_ = ("exit_call", {"call": "os._exit", "code": 1, "thread": "MainThread"})
        facts = THREAD_WORDS if identity == EXCEPTION else [exit_, named(wording.THREADS, "Thread creation failed")]
        assert status(identity, *dead(5, *facts, **RAISED)) == "supported"

    def test_exceptions_survive_easy_refusals(self) -> None:
        """A read-only cache, a peer that went away: every program meets these."""
        noise = [refusal("openat", "EROFS"), refusal("write", "EPIPE")]
        assert status(EXCEPTION, *dead(5, raised("ValueError", "m"), *noise, WATCHED, **RAISED)) == "established"


class TestVariable:
    """One thread is asked for by variables, and a program may choose by them."""

    KEYS: dict[str, Any] = {"facts": {"threads_max": 2, "torch_threads": 2}}

    def test_torch_alone_leaves_it(self) -> None:
        """Then its number of threads is no condition, and native code is not ruled out."""
        alone = deaths(3, "torch.set_num_threads=1", facts={"torch_threads": 1})
        trials = [*deaths(5, **self.KEYS), *lives(5, "threads=1"), *alone]
        assert status(THREADS, *trials) == "open" and status(NATIVE, *trials) == "supported"
        finding = judged(THREADS, case(*trials, controls=ALL))
        assert any("a variable chooses it" in reason.text for reason in finding.reasons)

    def test_torch_alone_removes_it(self) -> None:
        """Then it is the threads."""
        trials = [*deaths(5, **self.KEYS), *lives(5, "threads=1"), *lives(5, "torch.set_num_threads=1")]
        assert status(THREADS, *trials) == "established"

    def test_fault_in_a_pool_needs_no_more(self) -> None:
        """The runtime's own frames are below it."""
        facts = {"torch_threads": 2, "crash_stack": ["kernel", "libgomp.so.1+0x1b4be"]}
        assert status(THREADS, *deaths(5, facts=facts), *lives(5, "threads=1")) == "established"

    def test_process_without_a_second_thread(self) -> None:
        """None was ever seen."""
        assert status(THREADS, *deaths(5, facts={"threads_max": 1}), *lives(5, "threads=1")) == "open"


class TestSameUse:
    """A daemon outside that watches memory."""

    def test_is_told(self) -> None:
        """Deaths at the same use while use grows; memory is not named for it."""
        facts = {"growth_bytes_per_step": 35 << 20, "rss_at_end_bytes": GIB}
        trials = deaths(3, facts=facts, signal="SIGKILL", ended_by="outside")
        finding = judged(MEMORY, case(*trials, controls=ALL))
        assert any("it always came at the same use: 3 deaths at 1.00 GiB" in one.text for one in finding.reasons)
        assert finding.status != "established"
