"""What stands beneath an ending: a sentence for each fact that is no reason, in every form of the report."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
import report_samples
from built_trials import died, trial, well
from rich.console import Console

from harness.model import Evidence, Trial
from harness.report import markdown
from harness.report.console.review import review, show
from harness.report.content import circumstances, summary
from harness.report.html import findings

GIB, MIB = 1 << 30, 1 << 20
FOLLOWED = {
    "pid": 80, "started_by": "fork", "rank": "1", "when_seconds": 2.5, "how": "SIGKILL", "last_event": "backbone",
    "followed_by": [{"pid": 77, "after_seconds": 0.2, "how": "exit code 1", "sent_by": None}] * 6,
}  # fmt: skip
SENT = {
    "signal": "SIGTERM", "target": 77, "sender": 5, "sender_command": "slurmstepd", "by": "stranger",
    "before_death_seconds": 1.25,
}  # fmt: skip
LIMIT = {"resource": "open files", "name": "RLIMIT_NOFILE", "limit": 100, "used": 85, "last_used": 85}
SHARED = {"resource": "shared memory", "name": "/dev/shm", "limit": GIB, "used": 900 * MIB, "last_used": 10 * MIB}
SAID = {"pid": 77, "what": "fork, rank 3", "how": "SIGABRT", "seconds": 1.0, "words": ["a", "b"], "is_own": False}
LOOK = {
    "folder": "native/headroom-1", "left": MIB, "limit_bytes": GIB, "limit": "RLIMIT_AS",
    "growth_bytes_per_second": 2 * MIB,
}  # fmt: skip
PRINTED = {"words": "ValueError: no", "place": "f (a.py:3)", "count": 2}
SENTENCES: list[tuple[dict[str, Any], str]] = [
    ({"processes": {"observed": 3, "fork": 2, "spawn": 1}}, "had started 3 further Python processes: 2 x fork, 1 x s"),
    ({"first_death": FOLLOWED}, "process 80 (fork, rank 1) died first, 2.50 s after the start: SIGKILL; it was in"),
    ({"first_death": FOLLOWED}, "followed by process 77 200 ms later (exit code 1); process 77"),
    ({"first_death": FOLLOWED}, "; and 2 more"),
    ({"died_after_main": {"main": "end of main", "how": "SIGABRT", "phase": "during finalization"}},
     "the main program had ended (end of main) when it died: SIGABRT, during finalization"),
    ({"last_said": SAID}, "the 1.00 s before process 77 (fork, rank 3) ended, by SIGABRT, and with it stderr had: a"),
    ({"last_said": {**SAID, "is_own": True}}, "its own last words were: a | b"),
    ({"left_behind": [5]}, "1 process was left behind, and ended by the harness: 5"),
    ({"left_behind": [5, 6]}, "2 processes were left behind, and ended by the harness: 5, 6"),
    ({"not_ended": [9]}, "not even SIGKILL ended process 9"),
    ({"signal_handled": SENT}, "SIGTERM reached process 77 1.25 s before the end, and did not end it: sent by slurmst"),
    ({"signals_handled": {"pid": 77, "handled": ["SIGTERM", "SIGINT"], "is_watched": True, "signal": None}},
     "no signal ended it; it has handlers of its own for SIGTERM, SIGINT, and none of them was sent to it"),
    ({"signals_handled": {"pid": 77, "handled": ["SIGUSR1"], "is_watched": False, "signal": None}},
     "for SIGUSR1, and whether one was sent to it was not recorded"),
    ({"printed_error": PRINTED}, "printed before, and not fatal: ValueError: no (2 times), in f (a.py:3)"),
    ({"limit_use": LIMIT}, "open files: 85 of 100 were in use (85.0 %, to the last look), by RLIMIT_NOFILE"),
    ({"limit_use": SHARED}, "shared memory: 900 MiB of 1.00 GiB were in use (87.9 %, 10.0 MiB at the last look)"),
    ({"commit_headroom_bytes": MIB}, "the system could still promise 1.00 MiB of memory"),
    ({"memory_stall_seconds": 2.0}, "stood still for want of memory for 2.00 s together"),
    ({"headroom_snapshot": LOOK}, "looked at when 1.00 MiB of 1.00 GiB were left under RLIMIT_AS, 2.00 MiB going each"),
    ({"uss_bytes": MIB, "pss_bytes": 2 * MIB, "swap_peak_bytes": 3 * MIB},
     "1.00 MiB were its own alone, 2.00 MiB with its share of what others use too, 3.00 MiB were swapped out"),
    ({"peak_raised_by": {"module": "backbone", "call": 2, "step": 7, "rise_bytes": MIB}},
     "was reached in backbone, call 2 of step 7, by a rise of 1.00 MiB"),
    ({"tree_peak_pss_bytes": GIB}, "all its processes together used 1.00 GiB, what they share counted once"),
    ({"thread_cpu_seconds": [{"id": 1, "name": "python", "seconds": 9.0}, {"id": 2, "name": None, "seconds": 0.0}]},
     "the threads that used most processor time: python 9.00 s"),
    ({"hang_threads": [{"waits": "lock", "call": "futex"}] * 2 + [{"waits": "sleep", "call": None}]},
     "3 threads stood still or worked without progress: 2 x lock (futex), 1 x sleep"),
    ({"torch_version": "2.9", "torch_threads": 4, "torch_interop_threads": 2},
     "it ran torch 2.9, with 4 threads and 2 between operators"),
    ({"thread_variables": {"OMP_NUM_THREADS": "4"}}, "variables that steer threads and allocators: OMP_NUM_THREADS=4"),
    ({"thread_variables_changed": {"OMP_NUM_THREADS": {"before": None, "after": "4", "at": "import"}}},
     "changed them: OMP_NUM_THREADS from not set to 4 (import)"),
    ({"crash_stack": ["a", "b", "c", "d", "e", "f"]}, "it faulted in a < b < c < d < e"),
    ({"openmp_runtimes": ["/x/libgomp.so.1", "C:\\y\\libiomp5md.dll"]}, "loaded: libgomp.so.1, libiomp5md.dll"),
    ({"fork_after_threads": 1}, "1 fork came when native threads of a pool were there already"),
    ({"blas_copies": {"openblas": ["/a", "/b"]}}, "2 copies of openblas were loaded: /a, /b"),
    ({"tbb_copies": {"tbb": ["/a", "/b"]}}, "2 copies of tbb were loaded: /a, /b"),
]  # fmt: skip
SILENT: list[dict[str, Any]] = [
    {"limit_use": {**LIMIT, "used": 79}},
    {"limit_use": {**LIMIT, "used": None}},
    {"limit_use": {**LIMIT, "limit": 0, "used": 0}},
    {"memory_stall_seconds": 0.01},
    {"fork_after_threads": 0},
    {"blas_copies": {"openblas": ["/a"]}},
    {"first_death": {**FOLLOWED, "followed_by": []}},
    {"thread_variables": {}, "thread_variables_changed": {}},
    {"printed_error": PRINTED, "python_error": {"type": "ValueError", "message": "no"}},
    {
        "printed_error": PRINTED,
        "python_error": {"type": "E", "message": "m", "chain": [{"type": "V", "message": "no"}]},
    },
    {"crash_stack": []},
]


def texts(one: Trial) -> list[str]:
    """Return the sentences of one trial."""
    return [reason.text for reason in circumstances.of(one)]


@pytest.mark.parametrize(("facts", "words"), SENTENCES, ids=[words[:24] for _, words in SENTENCES])
def test_each_fact_has_its_sentence(facts: dict[str, Any], words: str) -> None:
    """With its record, of a trial that failed."""
    dead = died(code=1, facts=facts)
    (told,) = [reason for reason in circumstances.of(dead) if words in reason.text]
    assert told.evidence != () and told.speaks is None


@pytest.mark.parametrize("facts", SILENT)
def test_what_tells_nothing_is_not_told(facts: dict[str, Any]) -> None:
    """A limit with room, a stall of nothing, what another sentence has said."""
    assert texts(died(code=1, facts=facts)) == []


def test_stacks_are_told_of_faults_alone() -> None:
    """Main, threads, Python's and OpenMP's; no limit is no size."""
    facts = {"stack_bytes_main": -1, "stack_bytes_threads": 2 * MIB, "openmp_stacksize": 16 << 10}
    (text,) = texts(died(signal="SIGSEGV", facts=facts))
    assert "the main thread's has no limit, a thread's that asks for none 2.00 MiB, OpenMP's workers' 16.0 KiB" in text
    assert texts(died(code=1, facts=facts)) == []


def test_a_signal_that_was_seen_is_not_denied() -> None:
    """Nor one that ended it, nor of a standstill, which has exceptions of its own."""
    handles = {"signals_handled": {"pid": 77, "handled": ["SIGTERM"], "is_watched": True, "signal": None}}
    assert not any("no signal" in text for text in texts(died(code=1, facts={**handles, "signal_handled": SENT})))
    ended = {"signals_handled": {**handles["signals_handled"], "signal": "SIGSEGV"}}  # a worker's, say
    assert texts(died(code=1, facts=ended)) == []
    assert texts(died(code=0, facts={**handles, "orderly_end": {"signal": "SIGTERM"}})) == []
    assert texts(trial(1, "hung", facts={**handles, "printed_error": PRINTED})) == []


def test_of_a_trial_that_lived_only_what_it_left() -> None:
    """Its use of limits is nobody's question."""
    assert texts(well(facts={"limit_use": LIMIT, "left_behind": [5]})) == [
        "1 process was left behind, and ended by the harness: 5"
    ]


def test_what_was_said_last_is_not_said_twice() -> None:
    """An exception that was printed right before the end stands among the last words."""
    said = {**SAID, "words": ["ValueError: no, in f (a.py:3)"]}
    (text,) = texts(died(code=1, facts={"printed_error": PRINTED, "last_said": said}))
    assert text.endswith("stderr had: ValueError: no, in f (a.py:3)")


def test_of_trials_that_ended_alike() -> None:
    """The first in full, of each other the limits that were nearly full, by their names."""
    trials = [died(one, code=1, facts={"limit_use": LIMIT, "fork_after_threads": 1}) for one in (1, 2)]
    first, fork, other = [reason.text for reason in circumstances.told(trials)]
    assert (first.split(":")[0], fork.split()[:2], other.split(": ")[0]) == ("open files", ["1", "fork"], "threads=2/2")


def test_what_was_changed_on_purpose_has_its_own_question() -> None:
    """Such a death is an answer; what it left on the machine is told."""
    facts = {"limit_use": LIMIT, "left_behind": [5]}
    (told,) = circumstances.told([died(1, code=1, under="memory=0.6x", facts=facts)])
    assert "1 process was left behind" in told.text and told.text.startswith("threads=2+memory=0.6x/1: ")


def evidence() -> Evidence:
    """Return the founding case, each of its deaths with a sentence that no form may take for markup."""
    base = report_samples.founding()
    dead = [one for one in base.trials if one.outcome.is_failure]
    more = died(code=1, facts={"last_said": {**SAID, "words": ["<b>bold</b> [red]x[/red]"]}}).facts
    changed = tuple(dataclasses.replace(one, facts=(*one.facts, *more)) if one in dead else one for one in base.trials)
    return dataclasses.replace(base, trials=changed)


def test_it_stands_in_every_form() -> None:
    """Markdown, HTML and console, as text, beneath its ending."""
    asked = evidence()
    assert any(ending.around for ending in summary.endings(asked))
    console = Console(file=io.StringIO(), width=200)
    show(review(asked), console)
    plain = " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]
    assert "stderr had: <b>bold</b> [red]x[/red]" in plain
    assert r"stderr had: \<b\>bold" in markdown.render(asked)
    assert "stderr had: &lt;b&gt;bold" in findings.what_happened(asked)
