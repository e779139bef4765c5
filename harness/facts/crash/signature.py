"""What makes two deaths the same: exactly (every frame), loosely (five that tell something), and where in the model.

Addresses, paths and ids differ from run to run and are left out. Bucketing twice is grizzly's idea (stack_hasher.py).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from harness.facts.crash import faulting_stack, frame_names, noise, pyspy_text
from harness.facts.crash.frames import Frame, Stack, basename
from harness.facts.ended import early_end
from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.facts.processes.ends import End
from harness.facts.system import senders
from harness.model import Exit, LastEvent, Outcome, Signature
from probes import records

LOOSE_FRAMES = 5
DIGITS = 16
RECURSION = 20  # so many equal frames in the 64 or 100 that are printed
CALLS = ("os._exit", "os.abort", "os.kill", "os.killpg", "signal.raise_signal", "signal.pthread_kill")
LATER_CALLS = ("SystemExit in thread", "sys.exit")
PLACE = re.compile(r'^ *File "(.*)", line (\d+), in (.*)$', re.MULTILINE)
ASYNCHRONOUS = (
    "SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF",
    "SIGIO", "SIGPWR", "SIGXCPU",
)  # fmt: skip
WORKER, ORDERLY = "process", "orderly"
HANGS = f"{records.NATIVE}/hang-*/python_stacks.json"


def of(folder: TrialFolder, exit_: Exit, last_event: LastEvent | None, outcome: Outcome) -> Signature | None:
    """Return the signature of a trial that failed, None for every other; a part that nothing tells is None."""
    if not outcome.is_failure:
        return None
    if outcome is Outcome.HUNG:
        return _of_hang(folder, _point(how_of(exit_), last_event, outcome))
    first = first_death.deaths(folder).first
    worker = first if first is not None and first.folder else None
    how = f"{WORKER} {_status(worker)}" if worker else how_of(exit_)
    point = _point(how, last_event, outcome)
    asked = early_end.orderly(folder)
    if asked and worker is None:
        return Signature(None, f"{asked['signal']}, {ORDERLY}", point)
    signal = worker.signal if worker else exit_.signal or exit_.ntstatus
    found = faulting_stack.read(folder) if _is_fault(folder, signal) else None
    if found is None:
        return Signature(None, _of_worker(folder, worker, how) if worker else _of_exit(folder, exit_, point), point)
    return Signature(exact(how, found.kind, found.frames), loose(how, found.frames), point)


def how_of(exit_: Exit) -> str:
    """Return "SIGSEGV", "0xC0000005", or "exit 1"."""
    return exit_.signal or exit_.ntstatus or f"exit {exit_.code}"


def _status(end: End) -> str:
    return end.signal or f"exit {end.code}"


def _is_fault(folder: TrialFolder, how: str | None) -> bool:
    """Whether a death is synchronous: it strikes where the program is. A signal from outside strikes anywhere."""
    return how is not None and how not in ASYNCHRONOUS and not senders.is_by_another(folder, how)


def exact(how: str, kind: str | None, frames: Sequence[Frame]) -> str:
    """Return the hash over signal, kind of fault and all frames; of a recursion, which frames it is made of."""
    again = _recursion(frames)
    rows = sorted({f"recursion: {frame_names.exact(frame)}" for frame in again}) or [
        frame_names.exact(frame) for frame in frames
    ]
    return hashlib.sha256("\n".join([how, kind or "", *rows]).encode()).hexdigest()[:DIGITS]


def loose(how: str, frames: Sequence[Frame]) -> str | None:
    """Return e.g. "SIGSEGV: at::native::copy_kernel < forward (model.py) (2)"; None where no frame means anything."""
    again = _recursion(frames)
    if again:
        return f"{how}: recursion of {', '.join(sorted({frame_names.loose(frame) for frame in again})[:LOOSE_FRAMES])}"
    python = [frame for frame in frames if not frame.native]  # better than nothing
    telling = [frame for frame in frames if not noise.is_noise(frame)] or python
    found = [name for name, _ in groupby(frame_names.loose(frame) for frame in telling)]
    shown = found[:LOOSE_FRAMES]
    return f"{how}: {' < '.join(shown)} ({len(shown)})" if shown else None


def _recursion(frames: Sequence[Frame]) -> list[Frame]:
    """Return the frames of a recursion without end: at which of them the stack runs out is chance."""
    counts = Counter(frame_names.exact(frame) for frame in frames if frame.function)
    most = max(counts.values(), default=0)
    return [frame for frame in frames if most >= RECURSION and 2 * counts[frame_names.exact(frame)] >= most]


def _point(how: str, last: LastEvent | None, outcome: Outcome) -> str:
    """Say how it ended and where in the model, e.g. "SIGSEGV in forward backbone#2"."""
    where = f"{last.phase} {last.module or ''}#{last.call or ''}".rstrip("# ") if last else "unknown place"
    return f"{'hang' if outcome is Outcome.HUNG else how} in {where}"


def _of_exit(folder: TrialFolder, exit_: Exit, point: str) -> str:
    """Say who called for the end: a call, an exception that nobody caught, or a later exit; else only where it was.

    Where the signal came from outside, the place is chance, and is no part of it; nor is it where a signal's handler or
    another thread than the main one called for the end.
    """
    rows = [row.value for row in folder.own_lines(records.EXITS)]
    errors = [row.value for row in folder.own_lines(records.PYTHON_ERROR)]
    how = how_of(exit_)
    asked = next((row for row in rows[::-1] if row["call"] in CALLS and _fits(row, exit_)), None)
    if asked is not None and (asked.get("handler") or asked.get("thread") not in ("MainThread", None)):
        return _site(how, asked["call"], (asked.get("stack") or ())[-1:])
    sites = [
        *((row["call"], row.get("stack")) for row in [asked] if row is not None),
        *((error["type"], error.get("traceback")) for error in errors if exit_.signal is None),
        *((row["call"], row.get("stack")) for row in rows if row["call"] in LATER_CALLS and exit_.signal is None),
    ]
    bare = point if _is_fault(folder, how) else how
    return next((_site(point, what, stack or ()) for what, stack in sites), bare)


def _of_worker(folder: TrialFolder, worker: End, how: str) -> str:
    """Say by which exception or call another process than the observed one ended."""
    errors = [row.value for row in folder.lines(worker.folder + records.PYTHON_ERROR).rows]
    rows = [row.value for row in folder.lines(worker.folder + records.EXITS).rows]
    own = [
        *((error["type"], error.get("traceback")) for error in errors if error["pid"] == worker.pid),
        *((row["call"], row.get("stack")) for row in rows if row["call"] in (*CALLS[:1], *LATER_CALLS)),
    ]
    sites = own if worker.signal is None else []
    return next((_site(how, what, stack or ()) for what, stack in sites), how)


def _fits(row: dict[str, object], exit_: Exit) -> bool:
    """Whether a recorded call can have ended the process in this way."""
    return row["call"] == "os._exit" if exit_.signal is None else row.get("signal") == exit_.signal


def _site(point: str, what: str, stack: Iterable[str]) -> str:
    """Return the innermost frames of a printed stack; the line of the first, since two exits may share a function."""
    rows = [Frame(row[2], file=row[0], line=int(row[1]), native=False) for row in PLACE.findall("\n".join(stack))]
    frames = [frame for frame in rows[::-1] if not noise.is_noise(frame)][:LOOSE_FRAMES]
    spelt = [frame_names.exact(frame) for frame in frames[:1]] + [frame_names.loose(frame) for frame in frames[1:]]
    return f"{point}; {what}: {' < '.join(spelt)}" if spelt else f"{point}; {what}"


def _of_hang(folder: TrialFolder, point: str) -> Signature:
    """Return what the looks at the main thread have in common; the exact part only where it stood still."""
    found = (_main(folder, path.relative_to(folder.path).as_posix()) for path in sorted(folder.path.glob(HANGS)))
    looks = [tuple(frame for frame in stack.python_frames if not noise.is_ours(frame)) for stack in found if stack]
    if not looks:
        return Signature(None, point, point)
    same = _common([look[::-1] for look in looks])[::-1]
    still = all(look == looks[0] for look in looks)
    return Signature(exact("hang", None, looks[0]) if still else None, loose("hang", same) or point, point)


def _main(folder: TrialFolder, name: str) -> Stack | None:
    stacks = pyspy_text.parse(folder.text(name))
    return next((stack for stack in stacks if stack.thread_id == stack.process), None)


def _common(looks: list[tuple[Frame, ...]]) -> tuple[Frame, ...]:
    """Return the outermost frames that all looks share; lines may move on within a function."""
    count = 0
    for level in zip(*looks, strict=False):
        if len({(frame.function, basename(frame.file or "")) for frame in level}) > 1:
            break
        count += 1
    return looks[0][:count]
