"""Where the program is: epoch, step, module and call, told to the flight ring and to forwards.jsonl.

A step is an optimizer step; while the model trains, the step being worked on is one more than the steps done. A program
in which nothing steps counts root forwards instead. `call` counts how often a module was entered within its step, so the
second pass of a Siamese pair through one backbone is "backbone, call 2".
"""

from __future__ import annotations

import json
import threading
import time
import weakref

from .flight import KIND, Ring
from .lines import Lines

ENTER, LEAVE = KIND["enter"], KIND["leave"]
TIMED_DEPTH = 1  # the root and its direct children go to forwards.jsonl; everything else to the ring alone


class Place(threading.local):
    """The modules that this thread is inside of, outermost first, as (id, name, call) triples."""

    def __init__(self) -> None:
        """Start outside of every module."""
        self.stack: list[tuple[int, int, int]] = []


class Tracker:
    """Receives what the hooks see; owns the counters."""

    def __init__(self, ring: Ring, forwards: Lines) -> None:
        """Start before the first step."""
        self.ring = ring
        self.forwards = forwards
        self.place = Place()
        self.epoch = 0
        self.step = 0
        self.steps_done = 0
        self._calls: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._texts: dict[int, str] = {}
        self._quoted: dict[int, str] = {}
        self._roots: dict[int, object] = {}
        self._timed: dict[int, bool] = {}  # by root; a module without parameters (an image transform) is not a model

    def enter(self, module: object, learning: bool) -> None:
        """Note that a module's forward begins; `learning` tells training from evaluation (asked for roots only)."""
        stack = self.place.stack
        key = id(module)
        if stack and stack[0][0] == key:  # the root anew: an exception that the target caught had left it open
            stack.clear()
        depth = len(stack)
        if not depth:
            self._enter_root(module, key, learning)
        number = self._numbers.get(key) or self._name(module, key)
        call = self._calls[number] = self._calls.get(number, 0) + 1
        stack.append((key, number, call))
        self.ring.write(ENTER, depth, number, self.step, call, self.epoch)
        if depth <= TIMED_DEPTH and self._timed[stack[0][0]]:
            self._time("begin", depth, number, call)

    def leave(self, module: object) -> None:
        """Note that a module's forward has ended; modules that ended by an exception inside it are dropped."""
        stack = self.place.stack
        key = id(module)
        while stack:
            seen, number, call = stack.pop()
            if seen == key:
                depth = len(stack)
                self.ring.write(LEAVE, depth, number, self.step, call, self.epoch)
                if depth <= TIMED_DEPTH and self._timed[stack[0][0] if stack else key]:
                    self._time("end", depth, number, call)
                return

    def position(self, kind: int) -> None:
        """Write a record of another kind (data, backward, optimizer, ...) at the present epoch and step."""
        self.ring.write(kind, 0, 0, self.step, 0, self.epoch)

    def begin_learning_step(self) -> None:
        """Open the next step where the last one is done: at the first root forward that learns."""
        if self.step != self.steps_done + 1:
            self.step = self.steps_done + 1
            self._calls.clear()

    def end_step(self) -> None:
        """Count one optimizer step."""
        self.step = self.steps_done = self.ring.done = max(self.steps_done + 1, self.step)
        self.position(KIND["step"])
        self._calls.clear()

    def detach(self) -> None:
        """Write nothing more to the records: for a forked child, whose parent owns them."""
        self.ring.detach()
        self.forwards.detach()

    def name_of(self, module: object) -> str:
        """Return the dotted name under which a module is recorded ("" where it never was)."""
        return self._texts.get(self._numbers.get(id(module), 0), "")

    def call_of(self, module: object) -> int:
        """Return how often a module has been entered in the present step."""
        return self._calls.get(self._numbers.get(id(module), 0), 0)

    def _enter_root(self, module: object, key: int, learning: bool) -> None:
        known = self._roots.get(key)
        if known is None or known() is not module:  # type: ignore[operator]
            self._adopt(module, key)
        if learning and self._timed[key]:
            self.begin_learning_step()
        elif self._timed[key]:
            self._begin_evaluation()

    def _begin_evaluation(self) -> None:
        self._calls.clear()
        self.ring.done = self.steps_done or self.step
        self.step = self.steps_done or self.step + 1

    def _adopt(self, root: object, key: int) -> None:
        self._roots[key] = weakref.ref(root)
        self._timed[key] = next(root.parameters(), None) is not None  # type: ignore[attr-defined]
        for name, module in root.named_modules():  # type: ignore[attr-defined]
            self._remember(id(module), name or type(root).__name__)

    def _name(self, module: object, key: int) -> int:
        return self._remember(key, type(module).__name__)

    def _remember(self, key: int, name: str) -> int:
        number = self._numbers[key] = self.ring.number_of(name)
        self._texts[number] = name
        self._quoted[number] = json.dumps(name)
        return number

    def _time(self, event: str, depth: int, number: int, call: int) -> None:
        self.forwards.write_text(
            f'{{"t":{time.perf_counter():.6f},"event":"{event}","module":{self._quoted[number]},"call":{call},'
            f'"step":{self.step},"epoch":{self.epoch or "null"},"depth":{depth},"thread":{threading.get_native_id()}}}\n'
        )
