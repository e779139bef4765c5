"""How the program ends, when it is Python that ends it: uncaught exceptions of any thread, exits and who called them.

A crash leaves no line here, and neither does a kill: that absence is itself what tells a completed program (its end of
main is recorded) from one that only looks so because its exit code is 0.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import traceback
import types
from typing import Optional

from . import asked, kills, looked_at, worker_ends
from .flight import KIND
from .lines import Lines, RecordFolder
from .tracker import Tracker

ERRORS = "python_error.json"
MOST_CAUSES, MOST_LETTERS = 16, 2000
BY_NATURE = (StopIteration, StopAsyncIteration, EOFError)
_trackers: list = []  # of this process, once it is watched


class MainProgram:
    """Around the target's main program: sees whatever leaves it, and lets it go on."""

    def __init__(self, folder: Optional[RecordFolder]) -> None:
        """Take this process' folder; None: nothing can be recorded."""
        self._folder = folder

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: Optional[type], error: Optional[BaseException], trace: Optional[types.TracebackType]
    ) -> None:
        """Record how the main program was left; never swallows."""
        if self._folder is None:
            return
        exits = self._folder.lines("exits.jsonl")
        own = _without_boot(trace)
        if error is None:
            exits.write(call="end of main", code=0, thread="MainThread", stack=[], **_waited_for())
        elif isinstance(error, SystemExit):
            _record_handled(self._folder, _exit_code(error), error.__context__)
            exits.write(
                call="sys.exit", code=_exit_code(error), thread="MainThread", stack=traceback.format_tb(own),
                **asked.of_trace(own), **_swallowed(error.__context__), **_training(), **_waited_for(),
            )  # fmt: skip
        else:
            _record_error(self._folder, "MainThread", True, kind, error, own)
            _hide_boot_from_traceback()


class Worker(MainProgram):
    """Around the main function of a worker process, whose good end is not the end of a main program."""

    def __exit__(
        self, kind: Optional[type], error: Optional[BaseException], trace: Optional[types.TracebackType]
    ) -> None:
        """Record an exception or an exit that leaves it."""
        if self._folder is None or error is None:
            return
        if isinstance(error, SystemExit):
            super().__exit__(kind, error, trace)
        else:
            _record_error(self._folder, "MainThread", True, kind, error, trace)


def _waited_for() -> dict:
    """Return whom the interpreter will wait for once the main program has ended; nothing where there is nobody."""
    process = sys.modules.get("multiprocessing.process")
    here = threading.current_thread()
    threads = [thread.name for thread in threading.enumerate() if thread is not here and not thread.daemon]
    known = sorted(getattr(process, "_children", ()), key=lambda child: child.pid or 0)
    children = [child.pid for child in known if not child.daemon and child.is_alive()]
    return {name: found for name, found in (("waits_for", threads), ("children", children)) if found}


def watch(folder: RecordFolder, tracker: Tracker) -> None:
    """Record from now on: endings of threads, `os._exit`, signals that are sent, the interpreter's finalization."""
    exits = folder.lines("exits.jsonl")
    folder.lines(ERRORS)  # now: when it is needed, there may be no descriptor left
    _trackers[:] = [tracker]
    _watch_threads(folder, exits)
    _watch_os_exit(folder, exits)
    worker_ends.watch(lambda: Worker(folder))
    kills.watch(exits)
    atexit.register(_finalizing, exits, tracker)


def _finalizing(exits: Lines, tracker: Tracker) -> None:
    tracker.position(KIND["end"])
    exits.write(call="atexit", code=None, thread=threading.current_thread().name, stack=[])


def _watch_threads(folder: RecordFolder, exits: Lines) -> None:
    previous = threading.excepthook

    def excepthook(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "unknown"
        if issubclass(args.exc_type, SystemExit):
            stack = traceback.format_tb(args.exc_traceback)
            where = asked.of_trace(args.exc_traceback)
            code = _exit_code(args.exc_value)
            exits.write(call="SystemExit in thread", code=code, thread=name, stack=stack, **where, **_training())
        else:
            _record_error(folder, name, False, args.exc_type, args.exc_value, args.exc_traceback)
        previous(args)

    threading.excepthook = excepthook


def _watch_os_exit(folder: RecordFolder, exits: Lines) -> None:
    def before(status: int) -> None:
        _record_handled(folder, status, sys.exc_info()[1])
        stack = traceback.format_stack(sys._getframe(2))
        where = asked.of_frame(sys._getframe(2))
        name = threading.current_thread().name
        swallowed = _swallowed(sys.exc_info()[1])
        exits.write(call="os._exit", code=status, thread=name, stack=stack, **where, **swallowed, **_training())

    kills.replace("os", "_exit", before)


def _record_handled(folder: RecordFolder, code: object, error: Optional[BaseException]) -> None:
    """Record the exception in whose handling the program asks to end with an error's code: that only reports it."""
    if error is not None and not isinstance(error, (SystemExit, GeneratorExit)) and code not in (0, None):
        _record_error(folder, threading.current_thread().name, True, type(error), error, error.__traceback__)


def _swallowed(error: Optional[BaseException]) -> dict:
    """Return the error in whose handling the program asks to end: {type, message, in_loop: raised in one of its own}.

    Not what ends a loop or asks for an end by its nature, nor an exception of the program's own, which may be its way
    to say that it is done.
    """
    if not isinstance(error, Exception) or isinstance(error, BY_NATURE) or type(error).__module__ != "builtins":
        return {}
    in_loop = asked.of_trace(error.__traceback__).get("in_loop", False)
    return {"swallowed": {"type": type(error).__name__, "message": str(error)[:MOST_LETTERS], "in_loop": in_loop}}


def _training() -> dict:
    """Return what was going on when the program asked to end."""
    return {"training": _trackers[0].training() if _trackers else None}


def _record_error(
    folder: RecordFolder,
    thread: str,
    is_main: bool,
    kind: Optional[type],
    error: Optional[BaseException],
    trace: Optional[types.TracebackType],
) -> None:
    folder.lines(ERRORS).write(
        thread=thread, is_main=is_main, type=getattr(kind, "__name__", str(kind)), message=str(error),
        traceback=traceback.format_exception(kind, error, trace), errno=getattr(error, "errno", None),
        filename=getattr(error, "filename", None),
        chain=_chain(error), bases=[base.__name__ for base in getattr(kind, "__mro__", ())],
    )  # fmt: skip
    if is_main:
        looked_at.wait(folder, error)


def _chain(error: Optional[BaseException]) -> list:
    """Return what the exception came from, the nearest first: `__cause__`, else `__context__`, suppressed or not."""
    found: list = []
    seen = {id(error)}
    while error is not None and len(found) < MOST_CAUSES:
        how, error = ("cause", error.__cause__) if error.__cause__ else ("context", error.__context__)
        if error is None or id(error) in seen:
            break
        seen.add(id(error))
        found.append({
            "how": how, "type": type(error).__name__, "message": str(error)[:MOST_LETTERS],
            "errno": getattr(error, "errno", None), "filename": getattr(error, "filename", None),
        })  # fmt: skip
    return found


def _exit_code(error: Optional[BaseException]) -> object:
    """Return the process' exit code for a SystemExit: None means 0, a text means 1 (it goes to stderr)."""
    code = getattr(error, "code", None)
    return 0 if code is None else code if isinstance(code, int) else 1


def _without_boot(trace: Optional[types.TracebackType]) -> Optional[types.TracebackType]:
    """Drop the leading frames that are ours, so that a traceback reads as it would without us."""
    here = os.path.dirname(os.path.abspath(__file__))
    while trace is not None and os.path.dirname(os.path.abspath(trace.tb_frame.f_code.co_filename)) == here:
        trace = trace.tb_next
    return trace


def _hide_boot_from_traceback() -> None:
    """Give the coming traceback to the hook that is in place, Python's or the target's own, without our frames."""
    chosen = sys.excepthook

    def excepthook(kind: type[BaseException], error: BaseException, trace: Optional[types.TracebackType]) -> None:
        own = _without_boot(trace)  # on the exception too: Python prints that one, and not the argument
        chosen(kind, error.with_traceback(own), own)

    sys.excepthook = excepthook
