"""Signals that the program sends, to itself or to others: SIGKILL leaves no other trace of who sent it.

Where Python tells of the call by an audit event, nothing of the program is replaced (an event costs about 0.1 us, on
calls that cost more); `os.abort` and `signal.raise_signal` have no event, so they are wrapped.
Source: the audit events table of the Python documentation.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from .lines import Lines

EVENTS = ("os.kill", "os.killpg", "signal.pthread_kill")
TIMERS = {0: "SIGALRM", 1: "SIGVTALRM", 2: "SIGPROF"}  # setitimer(2)
NAMES = {int(number): number.name for number in signal.Signals}


def watch(exits: Lines) -> None:
    """Record every signal that Python code sends from now on."""

    def hook(event: str, arguments: tuple) -> None:
        if event in EVENTS and arguments[1] != 0:  # signal 0 only asks whether there is such a process
            record(exits, event, _target(event, arguments[0]), int(arguments[1]), sys._getframe(1))
        elif event == "os.exec":  # another program takes this process over: what comes after it is not Python's
            stack = traceback.format_stack(sys._getframe(1))
            exits.write(call=event, code=None, thread=threading.current_thread().name, stack=stack)

    sys.addaudithook(hook)
    for name in ("alarm", "setitimer"):
        if hasattr(signal, name):
            replace("signal", name, functools.partial(_note_timer, exits, name))
    replace("os", "abort", lambda *_: record(exits, "os.abort", os.getpid(), int(signal.SIGABRT), sys._getframe(2)))
    replace(
        "signal", "raise_signal",
        lambda number, *_: record(exits, "signal.raise_signal", os.getpid(), int(number), sys._getframe(2)),
    )  # fmt: skip


def _note_timer(exits: Lines, name: str, first: Any, *rest: Any) -> None:
    """Append the call that has a timer send a signal later; `seconds` 0 takes the timer back."""
    number, seconds = TIMERS.get(int(first), "SIGALRM") if name == "setitimer" else "SIGALRM", first
    exits.write(
        call=f"signal.{name}", code=None, signal=number, target=os.getpid(),
        seconds=float(rest[0] if name == "setitimer" and rest else seconds),
        thread=threading.current_thread().name, stack=traceback.format_stack(sys._getframe(2)),
    )  # fmt: skip


def record(exits: Lines, call: str, target: int, number: int, frame: Any) -> None:
    """Append the call: `code` is the signal's number, `target` a process, or a process group as a negative number.

    `session` is the sender's: one that lives in another session than its target acts on its own.
    """
    session = {"session": os.getsid(0)} if hasattr(os, "getsid") else {}
    exits.write(
        call=call, code=number, signal=NAMES.get(number, f"signal {number}"), target=target,
        thread=threading.current_thread().name, stack=traceback.format_stack(frame), **session,
    )  # fmt: skip


def replace(module: str, name: str, before: Callable[..., object]) -> None:
    """Call `before` with the same arguments ahead of a function that C implements.

    The stand-in has the function's names and takes its place in the C module too, so that it can be pickled.
    """
    original = getattr(sys.modules[module], name)

    @functools.wraps(original)
    def stand_in(*arguments: Any, **keys: Any) -> Any:
        before(*arguments, *keys.values())
        return original(*arguments, **keys)

    setattr(sys.modules[module], name, stand_in)
    setattr(sys.modules[original.__module__], name, stand_in)


def _target(event: str, target: int) -> int:
    """Spell whom a call reaches: "my group" (0) as the group's number, a group as a negative number."""
    if event == "signal.pthread_kill":
        return os.getpid()  # what a signal does, it does to the whole process
    if target == 0 and hasattr(os, "getpgrp"):
        return -os.getpgrp()
    return -target if event == "os.killpg" else target
