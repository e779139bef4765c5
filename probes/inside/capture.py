"""Capture one call of one module: what went in, and every operator before it runs.

The last operator begun and not returned is the one in which the process died. What is logged are aten operators and
not Python classes, so that a module of any class can be replayed with torch alone. Each line is in the kernel's hands
before the operator begins. No random number is drawn.
"""

from __future__ import annotations

import sys
import threading
import types
from contextlib import ExitStack
from typing import Any

from .capture_log import CaptureLog
from .lines import Lines, RecordFolder
from .tracker import Tracker

RECORD = "capture.jsonl"
DISPATCH = "torch.utils._python_dispatch"


class Calls(threading.local):
    """The module calls that this thread is inside of, outermost first: (module, args, kwargs, what ends with it)."""

    def __init__(self) -> None:
        """Start outside of every module."""
        self.stack: list = []


def install(torch: types.ModuleType, tracker: Tracker, wanted: dict, folder: RecordFolder, inside: Lines) -> None:
    """Arm the capture; `wanted` holds module, call, step (None: the first), values, values_of (operator numbers).

    To be called after the tracker's hooks are in place and before a planted fault's: the capture begins in between.
    """
    base = getattr(sys.modules.get(DISPATCH), "TorchDispatchMode", None)
    if base is None:
        inside.write(event="gap", probe="capture", reason=f"torch {torch.__version__} has no {DISPATCH}")
        return
    calls = Calls()
    _see_calls(torch, calls)
    log = CaptureLog(torch, tracker, folder.lines(RECORD), folder.file("values"), wanted, inside)
    waiting = [wanted]

    def at_entry(module: Any, _args: object) -> None:
        seen = calls.stack[-1] if calls.stack else None
        if not waiting or seen is None or seen[0] is not module or not _is_wanted(tracker, module, waiting[0]):
            return
        waiting.clear()
        _, args, kwargs, ending = seen
        log.opens(module, args, kwargs)
        ending.callback(log.closes)
        ending.enter_context(_recorder(base, log))

    torch.nn.modules.module.register_module_forward_pre_hook(at_entry)


def _is_wanted(tracker: Tracker, module: object, wanted: dict) -> bool:
    step = wanted.get("step")
    here = tracker.name_of(module) == wanted["module"] and tracker.call_of(module) == wanted["call"]
    return here and (step is None or tracker.step == step)


def _see_calls(torch: types.ModuleType, calls: Calls) -> None:
    """Lead every module call through here: a global pre-hook is not shown the keyword arguments, nor an exception."""
    original = torch.nn.Module.__call__

    def __call__(module: object, /, *args: object, **kwargs: object) -> object:
        with ExitStack() as ending:
            calls.stack.append((module, args, kwargs, ending))
            ending.callback(calls.stack.pop)
            return original(module, *args, **kwargs)

    torch.nn.Module.__call__ = __call__


def _recorder(base: Any, log: CaptureLog) -> Any:
    class Recorder(base):  # type: ignore[misc]  # torch's class is known only here
        """Tells the log of each operator before it runs, and of what it returned."""

        supports_higher_order_operators = True

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else torch imports torch._dynamo at the first operator: 100 MB that move the heap

        def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
            number = log.begins(function, args, kwargs or {})
            result = function(*args, **(kwargs or {}))
            log.returns(number, result)
            return result

    return Recorder()
