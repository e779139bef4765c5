"""The gates: when a cause may be named, and what is said where none may."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from built_trials import case, died, trial, well

from harness.decide.hypotheses import HYPOTHESES
from harness.decide.verdict import decide, gate
from harness.model import Finding, Status, Verdict

MEMORY, THREADS, NATIVE = "memory-exhaustion", "threading-fault", "native-fault"
IO = "io-fault"
RIVALS = {MEMORY, THREADS, NATIVE}
FOUR = (MEMORY, THREADS, NATIVE, IO)
IDS = [hypothesis.ID for hypothesis in HYPOTHESES]


def findings(**status: Status) -> list[Finding]:
    """Return findings by id with underscores; those that are not named are ruled out."""
    named = {name.replace("_", "-"): value for name, value in status.items()}
    return [Finding(name, named.get(name, Status.RULED_OUT), ()) for name in IDS]


class TestGate:
    """Over every combination of four rivals' statuses, and of which of them predict the failure."""

    @pytest.mark.parametrize("rivals", [set(some) for size in range(5) for some in itertools.combinations(FOUR, size)])
    def test_truth_table(self, rivals: set[str]) -> None:
        """All 256 rows: named is the only one established, memory and threading decided, its rivals ruled out."""
        named = 0
        for row in itertools.product(Status, repeat=4):
            status = dict(zip(FOUR, row, strict=True))
            sure = [name for name in FOUR if status[name] == "established"]
            closed = all(status[name] in ("established", "ruled-out") for name in (MEMORY, THREADS))
            others = [status[name] for name in rivals if name not in sure]
            expected = sure[0] if len(sure) == 1 and closed and set(others) <= {"ruled-out"} else None
            assert expected == gate(findings(**{name.replace("-", "_"): status[name] for name in FOUR}), rivals), status
            named += expected is not None
        # memory or threading established: the other ruled out, and 3 or 1 statuses for each of two more rivals;
        # one of those established: memory and threading ruled out, and 3 or 1 statuses for the last rival
        free = {name: 1 if name in rivals else 3 for name in (NATIVE, IO)}
        assert 2 * free[NATIVE] * free[IO] + free[IO] + free[NATIVE] == named

    @pytest.mark.parametrize("row", list(itertools.product(Status, repeat=4)), ids=lambda row: ",".join(row))
    def test_all_four_being_rivals_only_four_rows_name(self, row: tuple[Status, ...]) -> None:
        """One established and three ruled out, and nothing else whatever."""
        found = gate(findings(**{name.replace("-", "_"): one for name, one in zip(FOUR, row, strict=True)}), set(FOUR))
        wanted = sorted(row) == ["established", "ruled-out", "ruled-out", "ruled-out"]
        assert (FOUR[row.index(Status.ESTABLISHED)] if wanted else None) == found

    def test_order_of_findings_is_all_the_same(self) -> None:
        """The gate asks what is known, not in which order it was judged."""
        for row in itertools.product(Status, repeat=4):
            found = [Finding(name, one, ()) for name, one in zip(FOUR, row, strict=True)]
            assert gate(found, set(FOUR)) == gate(found[::-1], set(FOUR))

    @pytest.mark.parametrize("status", [Status.OPEN, Status.SUPPORTED])
    def test_memory_and_threading_are_asked_even_where_they_do_not_predict(self, status: Status) -> None:
        """A recorded exception is not named before both questions are closed."""
        rivals = {"python-exception"}
        sure = {"python_exception": Status.ESTABLISHED}
        assert gate(findings(**sure), rivals) == "python-exception"
        assert gate(findings(**sure, memory_exhaustion=status), rivals) is None
        assert gate(findings(**sure, threading_fault=status), rivals) is None

    def test_what_does_not_predict_the_failure_is_no_rival(self) -> None:
        """An open hypothesis of another signature does not keep the verdict open."""
        found = findings(native_fault=Status.ESTABLISHED, hang=Status.OPEN)
        assert gate(found, RIVALS) == NATIVE
        assert gate(found, {*RIVALS, "hang"}) is None

    def test_two_established_are_none(self) -> None:
        """Two causes at once are named by nobody."""
        found = findings(native_fault=Status.ESTABLISHED, threading_fault=Status.ESTABLISHED)
        assert gate(found, RIVALS) is None

    @pytest.mark.parametrize("missing", [MEMORY, THREADS])
    def test_missing_finding_is_undecided(self, missing: str) -> None:
        """A hypothesis that was not judged is open."""
        found = [finding for finding in findings(native_fault=Status.ESTABLISHED) if finding.id != missing]
        assert gate(found, RIVALS) is None


class TestNoFailure:
    """Nothing failed."""

    @pytest.mark.parametrize(("count", "bound"), [(1, "95%"), (2, "78%"), (5, "45%"), (59, "5%")])
    def test_is_a_bound_and_no_proof(self, count: int, bound: str) -> None:
        """The words give the number of trials and the rate that they leave possible."""
        verdict = decide(case(*(well(number) for number in range(count))), findings(), "harness run")
        assert (verdict.status, verdict.cause, verdict.next_experiments) == ("no-failure", None, ())
        assert f"in {count} trials" in verdict.statement
        assert "not proof" in verdict.statement
        assert f"below {bound} (95 % confidence)" in verdict.statement

    def test_stopped_trials_lived(self) -> None:
        """A trial that was well when the harness stopped it counts among the survivors."""
        verdict = decide(case(well(), trial(2, "stopped")), findings(), "harness run")
        assert (verdict.status, "in 2 trials" in verdict.statement) == ("no-failure", True)

    def test_unresolved_trial_leaves_it_open(self) -> None:
        """One trial whose end is not known is not one that went well."""
        verdict = decide(case(well(), trial(2, "unresolved")), findings(), "harness run")
        assert (verdict.status, verdict.cause) == ("open", None)
        assert "threads=2/2" in verdict.statement
        assert verdict.next_experiments[0].command == "harness run --set limits.wall_seconds=600"

    def test_no_trial_is_no_answer(self) -> None:
        """Nothing run, nothing known."""
        assert decide(case(), findings(), "harness run").status == "open"


class TestFailure:
    """Something failed."""

    def open_verdict(self) -> Verdict:
        """Return the verdict of one death at 2 threads and batch size 4."""
        dead = died(signal="SIGSEGV", factors={"threads": 2, "batch_size": 4})
        found = findings(memory_exhaustion=Status.OPEN, threading_fault=Status.SUPPORTED, native_fault=Status.SUPPORTED)
        return decide(case(dead, well(factors={"threads": 1, "batch_size": 4})), found, "harness run p.yaml")

    def test_open_says_what_failed_where_and_why_it_is_open(self) -> None:
        """How many, how, the last event, what is undecided, what is supported."""
        verdict = self.open_verdict()
        assert (verdict.status, verdict.cause) == ("open", None)
        for words in (
            "1 of 2 trials failed (1 x SIGSEGV)", "backbone, call 2 of step 2",
            "memory-exhaustion and threading-fault not decided", "supports threading-fault, native-fault",
        ):  # fmt: skip
            assert words in verdict.statement

    def test_open_says_what_to_run_next(self) -> None:
        """One experiment for threading, one for memory: all else pinned to the failing cell; no factor is varied that
        touches both.
        """
        commands = [experiment.command for experiment in self.open_verdict().next_experiments]
        assert commands == [
            "harness run p.yaml --set factors.threads=[1,2] --set factors.batch_size=[4] --set repeats=5",
            "harness run p.yaml --set factors.threads=[2] --set factors.batch_size=[4] --set repeats=5",
        ]

    def test_command_of_the_target_stays_at_the_end(self) -> None:
        """Options belong before the dashes."""
        dead = died(signal="SIGSEGV", factors={"threads": 2})
        verdict = decide(case(dead), findings(threading_fault=Status.OPEN), "harness run command.yaml -- a.py --x 1")
        ending = "--set factors.threads=[1,2] --set repeats=5 -- a.py --x 1"
        assert verdict.next_experiments[0].command == f"harness run command.yaml {ending}"

    def test_control_has_a_plan_of_its_own(self) -> None:
        """No options are made up for it."""
        verdict = decide(case(died(signal="SIGSEGV")), findings(), "harness controls --only segv-main")
        assert {one.command for one in verdict.next_experiments} == {"harness controls --only segv-main"}

    def test_open_always_says_what_to_run_next(self) -> None:
        """A death that no factor explains is run again."""
        verdict = decide(case(died(code=3, factors={})), findings(memory_exhaustion=Status.OPEN), "harness run")
        assert len(verdict.next_experiments) == 1

    @pytest.mark.parametrize("under", ["threads=1", "onednn=off"])
    def test_another_failure_at_one_thread_is_one_as_well(self, under: str) -> None:
        """Its deaths stand for repeats of the cell; what another change brings about may be of its own making."""
        dead = [died(1, signal="SIGSEGV"), died(2, signal="SIGSEGV"), died(1, signal="SIGABRT", under=under)]
        verdict = decide(case(*dead), findings(native_fault=Status.ESTABLISHED), "harness run")
        assert verdict.cause == (None if under == "threads=1" else NATIVE)
        assert ("There was more than one failure." in verdict.statement) == (under == "threads=1")

    @pytest.mark.parametrize(("other", "at_one", "cause"), [
        ({"signal": "SIGABRT"}, {}, THREADS), ({"signal": "SIGABRT"}, {"signal": "SIGBUS"}, None),
        ({"code": 1}, {}, None),
    ])  # fmt: skip
    def test_a_race_shows_in_one_way_or_another(
        self, other: dict[str, Any], at_one: dict[str, Any], cause: str | None
    ) -> None:
        """Several faults that are all gone at one thread are one; not where something fails there, nor an error's."""
        dead = [*(died(n, signal="SIGSEGV") for n in range(1, 6)), died(6, **other)]
        under = [died(n, under="threads=1", **at_one) if at_one else well(n, under="threads=1") for n in range(1, 6)]
        verdict = decide(case(*dead, *under), findings(threading_fault=Status.ESTABLISHED), "harness run")
        assert verdict.cause == cause

    def test_named_needs_the_gate(self) -> None:
        """With everything decided the cause is given, and the statement counts the failures."""
        found = findings(native_fault=Status.ESTABLISHED)
        verdict = decide(case(died(signal="SIGSEGV"), died(2, signal="SIGSEGV")), found, "harness run")
        assert (verdict.status, verdict.cause) == ("named", NATIVE)
        assert "2 of 2 trials failed (2 x SIGSEGV)" in verdict.statement

    @pytest.mark.parametrize(
        ("dead", "words"),
        [
            (died(code=3), "1 x exit code 3"),
            (died(code=0xC0000005, ntstatus="0xC0000005"), "1 x 0xC0000005"),
            (trial(1, "hung", signal="SIGKILL", ended_by="harness"), "1 x hang"),
        ],
    )
    def test_ways_to_fail_are_counted_by_name(self, dead: object, words: str) -> None:
        """Code, status or hang; the harness' own SIGKILL is not how a hung trial failed."""
        verdict = decide(case(dead), findings(memory_exhaustion=Status.OPEN), "harness run")  # type: ignore[arg-type]
        assert words in verdict.statement


class TestObserver:
    """Observing must not be what ends it, or what keeps it alive."""

    def test_death_that_needs_the_probes_is_never_named(self) -> None:
        """Gone without them, five of five: whatever else is established."""
        dead = [died(one, signal="SIGSEGV", factors={"threads": 2}) for one in range(1, 6)]
        bare = [well(one, factors={"threads": 2}, under="probes=off") for one in range(1, 6)]
        found = findings(memory_exhaustion=Status.RULED_OUT, threading_fault=Status.ESTABLISHED)
        assert decide(case(*dead), found, "harness run").status == "named"
        verdict = decide(case(*dead, *bare), found, "harness run")
        assert (verdict.status, verdict.cause) == ("open", None)
        assert "the failure depends on being observed" in verdict.statement
        assert "inside_probes=false" in verdict.next_experiments[0].command

    def test_death_that_is_only_unobserved_is_no_success(self) -> None:
        """Then observing is what keeps it alive."""
        bare = died(1, signal="SIGSEGV", factors={"threads": 2}, under="probes=off")
        verdict = decide(case(well(), bare), findings(), "harness run")
        assert verdict.status == "open" and "observing may be what keeps it alive" in verdict.statement
