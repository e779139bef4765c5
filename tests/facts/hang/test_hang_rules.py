"""What kind of hang it is: the rules, on threads as looks would have shown them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from record_folders import Records

from harness.decide.hypotheses import Case, hang
from harness.facts.hang import kind as hangs
from harness.facts.hang import stacks as hang_stacks
from harness.facts.hang.stacks import Frame, Sample, StackThread
from harness.facts.hang.still_threads import StillThread
from harness.facts.hang.waits_for import Wait, Waits
from harness.model import Cell, EndedBy, Exit, Fact, Outcome, Source, Trial
from probes import records

LOCK, TIMED, READ = Wait(Waits.LOCK, "futex"), Wait(Waits.LOCK, "futex", timed=True), Wait(Waits.IO, "read", 3)
POLL, SLEEP = Wait(Waits.IO, "poll"), Wait(Waits.SLEEP, "clock_nanosleep")
CHILD, DISK = Wait(Waits.CHILD, "wait4"), Wait(Waits.DISK, "read")
OWN = Frame("work", "/home/me/train.py", 5, True)
LIBRARY = "/usr/lib/python3.11/"
JOIN = (Frame("Thread.join", LIBRARY + "threading.py", 1119, True), OWN)
QUEUE = (Frame("get", LIBRARY + "multiprocessing/queues.py", 103, True), OWN)
FEEDER = (
    Frame("Condition.wait", LIBRARY + "threading.py", 327, True),
    Frame("Queue._feed", LIBRARY + "multiprocessing/queues.py", 231, True),
)
C_CODE = Frame("sre_match", "/usr/lib/libpython3.11.so.1.0", 0, False)


def stack(*frames: Frame, gil: bool = False) -> StackThread:
    """Return a thread's stack, innermost frame first."""
    return StackThread(1, "", gil, frames or (OWN,), 1)


def thread(number: int, wait: Wait = LOCK, *, process: int = 1, known: bool = True, **changes: object) -> StillThread:
    """Return a thread that does nothing but wait."""
    return dataclasses.replace(
        StillThread(
            process=process, id=number, name=f"t{number}", is_main=number == process, least_cores=0.0, most_cores=0.0,
            idle=True, wait=wait, descriptor="", state="SSS", wchan="", python=(stack(),) * 3 if known else (),
            native=(), profile=(), sources=(),
        ),
        **changes,  # type: ignore[arg-type]
    )  # fmt: skip


def joining(number: int) -> StillThread:
    """Return a thread that waits for another to end."""
    return thread(number, python=(stack(*JOIN),))


def busy(number: int, *, gil: bool = True, native: bool = False, **changes: object) -> StillThread:
    """Return a thread that uses a core all the time."""
    looks = (stack(OWN, gil=gil),) * 3
    dumps = (stack(C_CODE, OWN, gil=gil) if native else stack(OWN, gil=gil),) * 3
    shown = {"wait": Wait(Waits.NOT), "least_cores": 0.9, "most_cores": 1.0, "idle": False, "python": looks}
    return thread(number, **{**shown, "native": dumps, **changes})  # type: ignore[arg-type]


DOZING = thread(1, SLEEP, idle=False, most_cores=0.05)
IDLE_WORKER = thread(9, LOCK, process=9, python=(stack(*QUEUE),))
CASES = [
    ("nothing seen", [], hangs.UNKNOWN, []),
    ("two at locks, main joins", [joining(1), thread(2), thread(3)], hangs.DEADLOCK, [1, 2, 3]),
    ("main alone at a lock", [thread(1)], hangs.DEADLOCK, [1]),
    ("native pool at rest", [thread(1), thread(2, known=False)], hangs.DEADLOCK, [1]),
    ("queue feeder at rest", [thread(1), thread(2, python=(stack(*FEEDER),))], hangs.DEADLOCK, [1]),
    ("main joins a reader", [joining(1), thread(2, READ)], hangs.BLOCKED_IO, [2, 1]),
    ("two at locks beside a listener", [thread(1), thread(2), thread(3, POLL)], hangs.DEADLOCK, [1, 2]),
    ("main at a lock beside a server", [thread(1), thread(2, Wait(Waits.IO, "accept4", 5))], hangs.DEADLOCK, [1]),
    ("main joins a sleeper", [joining(1), thread(2, SLEEP)], hangs.SLEEPING, [2, 1]),
    ("at a lock for a time", [thread(1, TIMED)], hangs.SLEEPING, [1]),
    ("at a lock for a time, and another", [thread(1, TIMED), thread(2)], hangs.DEADLOCK, [1, 2]),
    ("main reads", [thread(1, READ)], hangs.BLOCKED_IO, [1]),
    ("main sleeps", [thread(1, SLEEP)], hangs.SLEEPING, [1]),
    ("device", [thread(1), thread(2, DISK, state="DDD")], hangs.BLOCKED_IO, [2]),
    ("device at one look only", [thread(1, DISK, state="DSS")], hangs.BLOCKED_IO, [1]),
    ("child at a lock", [thread(1, CHILD), thread(9, process=9)], hangs.DEADLOCK, [1, 9]),
    ("child reads", [thread(1, CHILD), thread(9, READ, process=9)], hangs.BLOCKED_IO, [1, 9]),
    ("child unseen", [thread(1, CHILD)], hangs.UNKNOWN, [1]),
    ("main polls, worker at a lock", [thread(1, POLL), thread(9, process=9)], hangs.DEADLOCK, [1, 9]),
    ("main polls, workers at rest", [thread(1, POLL), IDLE_WORKER], hangs.BLOCKED_IO, [1, 9]),
    ("not told", [thread(1, Wait(Waits.UNKNOWN))], hangs.UNKNOWN, [1]),
    ("python loop", [busy(1)], hangs.SPINNING, [1]),
    ("native pool spins", [thread(1), busy(2, python=(), native=())], hangs.SPINNING, [2]),
    ("native loop", [busy(1, native=True)], hangs.NATIVE_LOOP, [1]),
    ("native loop without the GIL", [busy(1, native=True, gil=False)], hangs.SPINNING, [1]),
    ("busy child", [thread(1, POLL), busy(9, process=9)], hangs.SPINNING, [9]),
    ("polling", [DOZING], hangs.SPINNING, [1]),
    ("a poller beside a deadlock", [thread(1), thread(2), thread(3, SLEEP, idle=False)], hangs.DEADLOCK, [1, 2]),
]  # fmt: skip


@pytest.mark.parametrize(("threads", "kind", "shown"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_kind(threads: list[StillThread], kind: str, shown: list[int]) -> None:
    """Each picture has one kind, and the threads that show it come in the order in which they are read."""
    found, culprits = hangs.kind_of(threads)
    assert (found, [culprit.id for culprit in culprits]) == (kind, shown)


class TestNativeLoop:
    """A loop in native code is seen in every sample, called from one Python line."""

    def test_a_profile_outweighs_the_looks(self) -> None:
        """One sample in the interpreter, or another calling line, and it is a Python loop that calls something."""
        inside = Sample(("<module> (a.py:1)", "work (a.py:5)", "sre_match (libpython.so)"), 19, 1)
        outside = Sample(("<module> (a.py:1)", "work (a.py:5)"), 1, 2)
        elsewhere = Sample(("<module> (a.py:1)", "work (a.py:6)", "sre_match (libpython.so)"), 1, 2)
        profiles = ((inside,), (inside, outside), (inside, elsewhere))
        loops = [busy(1, native=True, profile=samples) for samples in profiles]
        assert [hangs.kind_of([loop])[0] for loop in loops] == [hangs.NATIVE_LOOP, hangs.SPINNING, hangs.SPINNING]

    def test_needs_some_evidence(self) -> None:
        """Without any stack nothing is said of native code or the GIL."""
        assert hangs.kind_of([busy(1, python=(), native=())])[0] == hangs.SPINNING


class TestStacks:
    """What py-spy writes."""

    def test_reads_a_dump(self, tmp_path: Path) -> None:
        """Threads by their system ids, with the line that names them; native frames are known by their library."""
        frames = [
            {"name": "sre_match", "filename": "/lib/libpython3.11.so", "module": "/lib/libpython3.11.so", "line": 0},
            {"name": "work", "filename": "/home/me/train.py", "module": None, "line": 5},
        ]
        row = {"thread_name": "main", "pid": 12, "thread_id": 1, "os_thread_id": 12, "owns_gil": True, "frames": frames}
        (tmp_path / "dump.json").write_text(json.dumps([row], indent=2))
        read = hang_stacks.read(tmp_path / "dump.json")
        native = Frame("sre_match", "/lib/libpython3.11.so", 0, False)
        assert read == {12: StackThread(12, "main", True, (native, OWN), 6)}
        assert (read[12].python, read[12].native_top) == ((OWN,), (native,))

    def test_a_dump_that_was_cut_short_is_none(self, tmp_path: Path) -> None:
        """The tool was ended at its time limit: evidence missing, not an error."""
        (tmp_path / "dump.json").write_text('[\n {"os_thread_id": 12')
        assert hang_stacks.read(tmp_path / "dump.json") == hang_stacks.read(tmp_path / "none.json") == {}

    def test_reads_a_profile(self, tmp_path: Path) -> None:
        """Only the thread's own samples, named or not, with their lines."""
        lines = [
            "thread (12): a;b;work (a.py:5) 3", "thread (13);work (a.py:5) 9", "thread (12);work (a.py:5);f (c.so) 1",
        ]  # fmt: skip
        (tmp_path / "profile.txt").write_text("".join(f"{line}\n" for line in lines))
        read = hang_stacks.read_profile(tmp_path / "profile.txt", 12)
        assert [(sample.count, sample.line, sample.python_top, sample.is_native) for sample in read] == [
            (3, 1, "work (a.py:5)", False), (1, 3, "work (a.py:5)", True),
        ]  # fmt: skip
        assert hang_stacks.read_profile(tmp_path / "none.txt", 12) == []


class TestFacts:
    """From the records of a trial."""

    def test_no_looks_no_facts(self, tmp_path: Path) -> None:
        """A trial that was never suspected says nothing."""
        assert hangs.facts(Records(tmp_path).exit().folder()) == []

    def test_without_stacks_the_kernel_still_tells(self, tmp_path: Path) -> None:
        """py-spy was refused: CPU time and system calls are enough for the kind, and the names are the kernel's."""
        made = Records(tmp_path).exit(ended_by="harness", limit="no progress", signal="SIGKILL", code=None)
        made.lines(records.HANG, [look(number) for number in (1, 2, 3)] + [looked("no progress")])
        for number in (1, 2, 3):
            (made.path / "native" / f"hang-{number}").mkdir(parents=True)
            made.text(f"native/hang-{number}/threads.txt", THREADS)
        facts = {fact.name: fact for fact in hangs.facts(made.folder())}
        assert facts["hang_kind"].value == "deadlock"
        assert facts["hang_wait"].value == "python (process 77) waits for a lock (futex)"
        assert facts["hang_kind"].sources == (
            Source("trials/threads=2/1/native/hang-1/threads.txt", 2),
            Source("trials/threads=2/1/native/hang-3/threads.txt", 2),
            Source("trials/threads=2/1/native/hang-1/threads.txt", 3),
        )
        assert facts["hang_threads"].value[0]["holds_gil"] is None

    def test_looks_of_an_earlier_alarm_do_not_count(self, tmp_path: Path) -> None:
        """The last word counts: it was slow once, and then it moved."""
        rows = [look(1), look(2), looked("no progress", 1, 2), look(3), looked("progress", 3, 3)]
        made = Records(tmp_path).exit().lines(records.HANG, rows)
        (fact,) = hangs.facts(made.folder())
        assert (fact.name, fact.value, fact.sources[0].line) == ("hang_kind", "merely slow", 5)


THREADS = """/proc/77/task/77/comm:python
/proc/77/task/77/stat:77 (python) S 1 7 7 0 -1 4194304 1075 0 0 0 21 4 0 0 20 0 3 0 296745
/proc/77/task/77/syscall:202 0x7f39 0x189 0x0 0x0 0x0 0xffffffff 0x7ffc 0x7f39
"""


def look(number: int) -> dict[str, object]:
    """Return the record of a look."""
    return {
        "event": "look", "t": 100.0 + number, "number": number, "folder": f"native/hang-{number}", "pid": 77,
        "children": [], "children_left_out": 0, "machine": "x86_64", "ticks_per_second": 100,
    }  # fmt: skip


def looked(verdict: str, first: int = 1, last: int = 3) -> dict[str, object]:
    """Return the record of what came of the looks."""
    return {"event": "looked", "t": 110.0, "verdict": verdict, "first": first, "last": last}


def hung_trial(number: int, outcome: Outcome = Outcome.HUNG, **values: object) -> Trial:
    """Return a trial with the facts of a hang."""
    exit_ = Exit(None, "SIGKILL", None, "ended by the harness at the limit: no progress", EndedBy.HARNESS)
    facts = tuple(Fact(name, value, (Source("a.txt", 1),)) for name, value in values.items())
    return Trial(f"t/{number}", Cell(()), (), outcome, exit_, None, None, (), None, facts, ())


SEEN = {"hang_looks": 3, "hang_kind": "deadlock", "hang_wait": "one waits"}
FINDINGS = [
    ([hung_trial(1, **SEEN)], "established"),
    ([hung_trial(1, **SEEN), hung_trial(2, **SEEN)], "established"),
    ([hung_trial(1, **SEEN), hung_trial(2)], "supported"),
    ([hung_trial(1, **SEEN), hung_trial(2, Outcome.DIED)], "supported"),
    ([hung_trial(1, **{**SEEN, "hang_looks": 2})], "supported"),
    ([hung_trial(1, **{**SEEN, "hang_kind": "waiting in sleep"})], "supported"),
    ([hung_trial(1, **{**SEEN, "hang_kind": "spinning"})], "established"),
    ([hung_trial(1)], "supported"),
    ([hung_trial(1, Outcome.DIED)], "open"),
]


@pytest.mark.parametrize(("trials", "status"), FINDINGS)
def test_finding(trials: list[Trial], status: str) -> None:
    """Three looks at every failure establish that it hangs; less supports it."""
    assert hang.judge(Case(tuple(trials), {})).status == status


def test_finding_says_for_how_long(tmp_path: Path) -> None:
    """In steps, where the pace is known; with the kind, and each thread's sentence."""
    trial = hung_trial(1, **SEEN, idle_seconds=12.0, median_step_seconds=0.5)
    assert [reason.text for reason in hang.judge(Case((trial,), {})).reasons[1:]] == [
        "t/1: no flight record and no output for 12.0 s (24 times the median step of 0.5 s)",
        "t/1: deadlock: no progress was seen by 3 looks, a second apart",
        "t/1: one waits",
    ]
