"""What kind of hang it was, and who waited for what: facts from the looks taken at a program that made no progress.

The rules, in their order (a tick is 1/100 s; shares of a core are measured between the looks):
1. A thread that used a core all the time: `native loop holding the GIL`, where it held the GIL at every look and every
   sample found it in native code called from one Python line, or another thread got the GIL at none (an interpreter in
   one binary hides its native frames from py-spy); else `spinning`.
2. The main thread wakes up now and then, and gets nowhere: `spinning`.
3. A thread in uninterruptible sleep (state D): `blocked I/O`.
4. The main thread reads, writes, polls or opens: `blocked I/O`; a `deadlock` where it waits for a child that waits for
   a lock.
5. The main thread sleeps: `waiting in sleep`; `polling` where it keeps waking up, and goes back to sleep.
6. The main thread waits for a lock: `deadlock`, unless the only thread that it can wait for is itself in I/O or asleep.
   With a time limit and nobody else at a lock: `waiting in sleep`.
Before all of them: where the looks at the whole tree show that nobody is left who could end any of its waits
(`closed.py`), it is a `deadlock`.
"""

from __future__ import annotations

import dataclasses

from harness.facts.folder import TrialFolder
from harness.facts.hang import closed, ranks, still_threads, story, tree
from harness.facts.hang.stacks import Frame
from harness.facts.hang.still_threads import StillThread
from harness.facts.hang.tree import TreeLook
from harness.facts.hang.waits_for import LISTENING, Waits
from harness.model import Fact, Source
from probes import records

DEADLOCK = "deadlock"
SPINNING = "spinning"
NATIVE_LOOP = "native loop holding the GIL"
BLOCKED_IO = "blocked I/O"
SLEEPING = "waiting in sleep"
POLLING = "polling"
SLOW = "merely slow"
UNKNOWN = "unknown"
HOLDING = ", holding the GIL,"
LOOKS = 3
WAKES_OF_A_POLL = 2  # between the first and the last undisturbed look
SHOWN_THREADS = 40
"""Native pools have hundreds of threads that wait alike; those that Python knows come first."""


def facts(folder: TrialFolder) -> list[Fact]:
    """Return what the looks tell; nothing where none was taken."""
    ends = [row for row in folder.lines(records.HANG).rows if row.value["event"] == "looked"]
    if not ends:
        return []
    here = (folder.source(records.HANG, ends[-1].line),)
    if ends[-1].value["verdict"] == "progress":
        return [Fact("hang_kind", SLOW, here)]
    taken = still_threads.looks(folder)
    threads = still_threads.read(folder, taken)
    seen = tree.since(folder.path, max(_moved(folder), ends[-2].value["t"] if len(ends) > 1 else 0.0))
    kind, culprits = by_tree(kind_of(threads), threads, seen)
    processes = ranks.facts(folder, threads, {one.process: sentence(one) for one in threads if one.is_main})
    return [
        Fact("hang_looks", len(taken), here),
        *_stood_still(folder),
        Fact("hang_kind", kind, _sources(culprits) or here),
        *_closed(folder, seen),
        *story.facts(folder, threads, seen[-1] if seen else None),
        *processes,
        *(Fact("hang_wait", _told(thread, kind), thread.sources) for thread in culprits),
        Fact("hang_threads", [_row(thread) for thread in _ordered(threads)], _sources(_ordered(threads)) or here),
    ]


def _moved(folder: TrialFolder) -> float:
    """Return when it last made progress: what was seen before that is no part of this standstill."""
    rows = [row.value for row in folder.lines(records.LIMITS).rows if row.value["limit"] == "no progress"]
    return float(rows[-1]["t"] - rows[-1]["idle_seconds"]) if rows else 0.0


def by_tree(
    found: tuple[str, list[StillThread]], threads: list[StillThread], seen: list[TreeLook]
) -> tuple[str, list[StillThread]]:
    """Correct what threads alone tell by what the whole tree does: closed, it is a deadlock; a poller is no sleeper."""
    kind, culprits = found
    main = [thread for thread in threads if thread.is_main][:1]
    if len(seen) > 1 and closed.circle(*seen[-2:]).is_closed:
        return DEADLOCK, culprits or main
    asking = [one for one in (*main, *culprits) if one.wait.how is Waits.SLEEP or one.wait.timed or not one.idle]
    if kind in (SLEEPING, SPINNING, UNKNOWN) and not any(thread.is_busy for thread in threads) and _polls(asking, seen):
        return POLLING, culprits or main
    return kind, culprits


def _polls(asking: list[StillThread], seen: list[TreeLook]) -> bool:
    """Whether one of them kept waking up: a sleep that is gone back to again and again asks for something."""
    counts = [[look.threads[one.id].switches for look in seen if one.id in look.threads] for one in asking]
    return any(row[-1] - row[0] >= WAKES_OF_A_POLL for row in counts if len(row) > 1)


def _closed(folder: TrialFolder, seen: list[TreeLook]) -> list[Fact]:
    """Return `hang_closed`: whether anybody is left who could end it, by the last two looks at the tree."""
    if len(seen) < 2:
        return []
    found = closed.circle(*seen[-2:])
    sources = tuple(folder.source(records.STILL, look.line) for look in seen[-2:])
    return [Fact("hang_closed", {"closed": found.is_closed, **dataclasses.asdict(found)}, sources)]


def _stood_still(folder: TrialFolder) -> list[Fact]:
    """The limit that the plan and the trial's own pace set, and for how long nothing had moved when it was reached."""
    rows = [row for row in folder.lines(records.LIMITS).rows if row.value["limit"] == "no progress"]
    names = (
        ("idle_seconds", "idle_seconds"), ("allowed_idle_seconds", "allowed_idle_seconds"),
        ("median_step_seconds", "median_step_seconds"),
    )  # fmt: skip
    return [
        Fact(name, row.value[key], (folder.source(records.LIMITS, row.line),))
        for row in rows[-1:]
        for name, key in names
        if row.value[key] is not None
    ]


def kind_of(threads: list[StillThread]) -> tuple[str, list[StillThread]]:
    """Return the kind of hang, by the rules above, and the threads that show it. Pure."""
    main = next((thread for thread in threads if thread.is_main), None)
    if main is None:
        return UNKNOWN, []
    busy = sorted((thread for thread in threads if thread.is_busy), key=lambda thread: -thread.least_cores)
    if busy:
        starving = any(thread.starves for thread in threads)
        loops = [thread for thread in busy if thread.holds_gil and (thread.stays_native or starving)]
        return (NATIVE_LOOP, [*loops, *_at_gil(threads)]) if loops else (SPINNING, busy)
    if not main.idle:
        return SPINNING, [main]
    stuck = [thread for thread in threads if set(thread.state) == {"D"}]
    return (BLOCKED_IO, stuck) if stuck else _idle_kind(main, [thread for thread in threads if thread is not main])


def _at_gil(threads: list[StillThread]) -> list[StillThread]:
    return [thread for thread in threads if thread.is_at_gil]


def _idle_kind(main: StillThread, others: list[StillThread]) -> tuple[str, list[StillThread]]:
    """No thread consumes CPU: what the main thread waits for decides."""
    children = [thread for thread in others if thread.process != main.process and thread.is_main]
    siblings = [thread for thread in others if thread.process == main.process]
    if main.wait.how is Waits.LOCK:
        return _lock_kind(main, siblings)
    if main.wait.how in (Waits.CHILD, Waits.IO):
        return _outer_kind(main, children, others)
    if main.wait.how is Waits.DISK:
        return BLOCKED_IO, [main]
    return (SLEEPING, [main]) if main.wait.how is Waits.SLEEP else (UNKNOWN, [main])


def _lock_kind(main: StillThread, siblings: list[StillThread]) -> tuple[str, list[StillThread]]:
    """Native pools wait in futexes all their life, so only threads that Python knows count as waiting for a lock."""
    known = [thread for thread in siblings if thread.python and not thread.is_queue_feeder]
    locked = [thread for thread in (main, *known) if thread.wait.how is Waits.LOCK and not thread.is_joining]
    reading = [thread for thread in known if thread.wait.how is Waits.IO and thread.wait.call not in LISTENING]
    asleep = [thread for thread in known if thread.wait.how is Waits.SLEEP]
    waiting = [thread for thread in (main, *known) if thread.wait.how is Waits.LOCK]
    if reading and len(locked) < 2:
        return BLOCKED_IO, [*reading, *waiting]
    if asleep and not locked:
        return SLEEPING, [*asleep, *waiting]
    if main.wait.timed and locked == [main]:
        return SLEEPING, waiting
    return DEADLOCK, waiting


def _outer_kind(
    main: StillThread, children: list[StillThread], others: list[StillThread]
) -> tuple[str, list[StillThread]]:
    """The main thread waits for something outside of its process, which may be one of its own children."""
    locked = [child for child in children if child.wait.how is Waits.LOCK and not child.is_idle_worker]
    if locked:
        return _with_main(main, _lock_kind(locked[0], _siblings(locked[0], others)))
    if main.wait.how is Waits.IO or not children:
        return BLOCKED_IO if main.wait.how is Waits.IO else UNKNOWN, [main, *children]
    kind, culprits = _idle_kind(children[0], [thread for thread in others if thread.process == children[0].process][1:])
    return _with_main(main, (kind, culprits))


def _with_main(main: StillThread, found: tuple[str, list[StillThread]]) -> tuple[str, list[StillThread]]:
    return found[0], [main, *found[1]]


def _siblings(thread: StillThread, others: list[StillThread]) -> list[StillThread]:
    return [other for other in others if other.process == thread.process and other is not thread]


WORDS = {
    Waits.LOCK: "waits for a lock",
    Waits.IO: "waits for input or output",
    Waits.DISK: "waits for a disk or another device, and cannot be interrupted",
    Waits.SLEEP: "sleeps",
    Waits.CHILD: "waits for a child process to end",
    Waits.NOT: "was running",
    Waits.UNKNOWN: "waits",
}


def _told(thread: StillThread, kind: str) -> str:
    """Say it of a thread that shows the kind: a loop that gives the GIL to nobody is native, whatever frames say."""
    text = sentence(thread)
    hidden = kind == NATIVE_LOOP and thread.is_busy and not thread.stays_native
    return text.replace(HOLDING + " in ", HOLDING + " in native code, called from ", 1) if hidden else text


def sentence(thread: StillThread) -> str:
    """Say what one thread does and where."""
    which = f"process {thread.process}" if thread.is_main else f"thread {thread.id} of process {thread.process}"
    gil = HOLDING if thread.holds_gil else ""
    return f"{thread.name} ({which}) {_does(thread)}{gil}{_where(thread)}"


def _does(thread: StillThread) -> str:
    if thread.is_at_gil:
        return "waits for the GIL"
    if thread.is_busy:
        return f"uses {thread.least_cores:.2f} of a core without a pause"
    if not thread.idle:
        return f"wakes up and does a little ({thread.most_cores:.2f} of a core)"
    call = f" ({thread.wait.call}{' ' + thread.descriptor if thread.descriptor else ''})" if thread.wait.call else ""
    return _wait_words(thread) + call + (", with a time limit" if thread.wait.timed else "")


def _wait_words(thread: StillThread) -> str:
    """A lock has many faces; the function that waits for it tells which."""
    if thread.is_joining:
        return "waits for another thread to end"
    inner = {(frame.base, frame.name.rpartition(".")[2]) for frame in thread.frames[:4]}
    if thread.wait.how is Waits.LOCK and ("threading.py", "wait") in inner:
        return "waits to be woken by another thread"
    if thread.wait.how is Waits.LOCK and ("queue.py", "get") in inner:
        return "waits for another thread to put something into a queue"
    return WORDS[thread.wait.how]


def _where(thread: StillThread) -> str:
    """The native function and the Python frame it is in, and the first frame that is not Python's own library."""
    native = thread.native[0].native_top if thread.native else ()
    named = next((frame for frame in native if not frame.is_plumbing), None)
    if named is None and thread.is_busy:
        named = next((frame for frame in reversed(native) if not frame.name.startswith("0x")), None)
    own = next((frame for frame in thread.frames if frame.is_own), None)
    innermost: Frame | None = thread.frames[0] if thread.frames else None
    parts = [f" in native code, {named}"] if named and not (thread.is_busy and not thread.stays_native) else []
    parts += [f", called from {innermost}" if parts else f" in {innermost}"] if innermost else []
    parts += [f", from {own}"] if own and own is not innermost else []
    parts += [", with no frame of the target's own code"] if innermost and own is None and thread.is_main else []
    return "".join(parts)


def _ordered(threads: list[StillThread]) -> list[StillThread]:
    return sorted(threads, key=lambda thread: (not thread.python, not thread.is_busy))[:SHOWN_THREADS]


def _row(thread: StillThread) -> dict[str, object]:
    return {
        "process": thread.process, "thread": thread.id, "name": thread.name, "state": thread.state,
        "cores": round(thread.most_cores, 3), "waits": str(thread.wait.how), "call": thread.wait.call,
        "descriptor": thread.descriptor or None, "wchan": thread.wchan or None,
        "holds_gil": thread.holds_gil if thread.python else None, "says": sentence(thread),
    }  # fmt: skip


def _sources(threads: list[StillThread]) -> tuple[Source, ...]:
    return tuple(source for thread in threads for source in thread.sources)
