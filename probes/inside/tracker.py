"""Where the program is: epoch, step, module and call, told to the flight ring and to forwards.jsonl.

A step is an optimizer step; while the model trains, the step being worked on is one more than the steps done. A program
that makes no optimizer counts root forwards instead. `call` counts how often a module was entered within its step: the
second pass of a Siamese pair through one backbone is "backbone, call 2".
"""

from __future__ import annotations

import json
import threading
import time
import weakref
from collections.abc import Callable

from .flight import CAPACITY, CLOCK, HEADER_BYTES, KIND, PACK, RECORD_BYTES, Ring
from .lines import Lines

ENTER, LEAVE, BACKWARD_END = KIND["enter"], KIND["leave"], KIND["backward_end"]
TIMED_DEPTH = 1  # the root and its direct children go to forwards.jsonl; everything else to the ring alone
UNTIMED = -1
WRAPPERS = ("module", "_orig_mod")  # the only child of DataParallel and DistributedDataParallel, of torch.compile


class Place(threading.local):
    """The modules that this thread is inside of, outermost first, as (id, name, call) triples."""

    def __init__(self) -> None:
        """Start outside of every module."""
        self.stack: list[tuple[int, int, int]] = []
        self.thread = threading.get_native_id()
        self.timed = UNTIMED  # down to which depth: an image transform, which has no parameters, is no model


class Tracker:
    """Receives what the hooks see; owns the counters."""

    def __init__(self, ring: Ring, forwards: Lines) -> None:
        """Start before the first step."""
        self._grad_enabled: Callable[[], bool] = bool
        self._is_compiling: Callable[[], bool] = bool
        self.ring = ring
        self.forwards = forwards
        self.place = Place()
        self.epoch = 0
        self.step = 0
        self.steps_done = 0
        self.optimizers = 0  # how many were made; where there is none, forwards are counted instead of its steps
        self._backward_seen = self._backward_ended = False
        self._strangers: set[int] = set()  # names of modules that belong to no root, as a compiler makes some
        self._calls: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._texts: dict[int, str] = {}
        self._quoted: dict[int, str] = {}
        self._known: dict[int, object] = {}  # weak references: a module that is gone may leave its id to another
        self._models: dict[int, bool] = {}
        self._depths: dict[int, int] = {}
        self._at_first_model: list[Callable[[], None]] = []
        self._root: Callable[[], object] | None = None  # a weak reference to the model that ran last

    def hooks(self) -> tuple[Callable[[object, object], None], Callable[[object, object, object], None]]:
        """Return the forward pre-hook and the forward hook.

        They run for every module of every step, in between kernels that have emptied the processor's caches: one flat
        function each, as every further call costs more there than all of its work.
        """
        place, numbers, calls, ring, pack, clock = self.place, self._numbers, self._calls, self.ring, PACK, CLOCK
        is_compiling = self._is_compiling

        def before(module: object, _args: object) -> None:
            if is_compiling():  # torch.compile traces this: to it, the hook does nothing
                return
            stack, key = place.stack, id(module)
            if not stack or stack[0][0] == key:  # the root anew: a caught exception may have left it open
                stack.clear()
                self._enter_root(module, key)
            number = numbers.get(key) or self._name(module, key)
            call = calls[number] = calls.get(number, 0) + 1
            depth = len(stack)
            stack.append((key, number, call))
            at = next(ring.counter)
            where = HEADER_BYTES + at % CAPACITY * RECORD_BYTES
            pack(
                ring.buffer, where, clock(), ENTER, depth, number,
                self.step, call, self.epoch, place.thread, ring.done, at,
            )  # fmt: skip
            if depth <= place.timed:
                self._time("begin", depth, number, call)

        def after(module: object, _args: object, _output: object) -> None:
            if is_compiling():
                return
            stack, key = place.stack, id(module)
            while stack:  # modules that ended by an exception inside this one are dropped
                seen, number, call = stack.pop()
                if seen == key:
                    depth = len(stack)
                    at = next(ring.counter)
                    where = HEADER_BYTES + at % CAPACITY * RECORD_BYTES
                    pack(
                        ring.buffer, where, clock(), LEAVE, depth, number,
                        self.step, call, self.epoch, place.thread, ring.done, at,
                    )  # fmt: skip
                    if depth <= place.timed:
                        self._time("end", depth, number, call)
                    return

        return before, after

    def learn_from(self, grad_enabled: Callable[[], bool], is_compiling: Callable[[], bool]) -> None:
        """Take torch's word for whether gradients are recorded, which tells training from evaluation, and for whether
        the code that asks is being compiled.
        """
        self._grad_enabled = grad_enabled
        self._is_compiling = is_compiling

    def when_first_model_runs(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, when the forward of the first root that has parameters begins."""
        self._at_first_model.append(callback)

    def position(self, kind: int) -> None:
        """Write a record of another kind (data, backward, optimizer, ...) at the present epoch and step."""
        self.ring.write(kind, 0, 0, self.step, 0, self.epoch, threading.get_native_id())
        if kind == BACKWARD_END:
            self._backward_seen = self._backward_ended = True

    def begin_learning_step(self) -> None:
        """Open the next step where the last one is done: at the first root forward that learns.

        Where no optimizer steps, that is the first one after a backward; each one where there is no backward either.
        """
        counts = self.optimizers or self.steps_done
        if counts and self.step != self.steps_done + 1:
            self.step = self.steps_done + 1
            self._calls.clear()
        elif not counts and (self._backward_ended or not self._backward_seen):
            self._backward_ended = False
            self._begin_evaluation()

    def training(self) -> dict:
        """Return how many steps are done, and whether the model that ran last is in training mode."""
        model = self._root() if self._root is not None else None
        return {"steps": self.steps_done if self.optimizers else 0, "trains": bool(getattr(model, "training", False))}

    def end_step(self) -> None:
        """Count one optimizer step."""
        self.step = self.steps_done = self.ring.done = max(self.steps_done + 1, self.step)
        self.position(KIND["step"])
        self._calls.clear()

    def begin_again(self, path: str, names_path: str) -> None:
        """Write to a ring of its own: a forked child, which is inside of nothing yet."""
        self.place.stack.clear()
        self.place.thread = threading.get_native_id()
        self.ring.reopen(path, names_path)
        self.position(KIND["start"])

    def name_of(self, module: object) -> str:
        """Return the dotted name under which a module is recorded ("" where it never was)."""
        return self._texts.get(self._numbers.get(id(module), 0), "")

    def call_of(self, module: object) -> int:
        """Return how often a module has been entered in the present step."""
        return self._calls.get(self._numbers.get(id(module), 0), 0)

    def innermost(self) -> str:
        """Return the name of the innermost module that this thread is inside of; "" outside of all."""
        stack = self.place.stack
        return self._texts[stack[-1][1]] if stack else ""

    def _enter_root(self, module: object, key: int) -> None:
        place = self.place
        known = self._known.get(key)
        if known is None or known() is not module:  # type: ignore[operator]
            self._adopt(module, key)
        self._root = self._known[key] if self._models[key] else self._root  # type: ignore[assignment]
        place.timed = self._depths[key]
        if self._models[key] and module.training and self._grad_enabled():  # type: ignore[attr-defined]
            self.begin_learning_step()
        elif self._models[key]:
            self._begin_evaluation()

    def _begin_evaluation(self) -> None:
        self._calls.clear()
        self.ring.done = self.steps_done or self.step
        self.step = self.steps_done or self.step + 1

    def _adopt(self, root: object, key: int) -> None:
        """Learn the names below a new root. A part of a known root that is called on its own keeps its name."""
        for name, module in root.named_modules():  # type: ignore[attr-defined]
            self._known[id(module)] = weakref.ref(module)
            self._models[id(module)] = is_model = next(module.parameters(), None) is not None
            self._depths[id(module)] = TIMED_DEPTH + _wrappers(module) if is_model else UNTIMED
            self._remember(id(module), name or type(root).__name__)
        if self._models[key]:
            waiting, self._at_first_model = self._at_first_model, []
            for callback in waiting:
                callback()

    def _name(self, module: object, key: int) -> int:
        is_new = self.ring.number_of(type(module).__name__) not in self._texts
        number = self._remember(key, type(module).__name__)
        if is_new:
            self._strangers.add(number)
        return number

    def _remember(self, key: int, name: str) -> int:
        number = self._numbers[key] = self.ring.number_of(name)
        self._strangers.discard(number)
        self._texts[number] = name
        self._quoted[number] = json.dumps(name)
        return number

    def _time(self, event: str, depth: int, number: int, call: int) -> None:
        if number in self._strangers:
            return
        self.forwards.write_text(
            f'{{"t":{time.perf_counter():.6f},"event":"{event}","module":{self._quoted[number]},"call":{call},'
            f'"step":{self.step},"epoch":{self.epoch or "null"},"depth":{depth},"thread":{self.place.thread}}}\n'
        )


def _wrappers(module: object) -> int:
    """Return how many wrappers there are around the model itself: its parts, not it, are what is timed."""
    children = dict(module.named_children())  # type: ignore[attr-defined]
    name = next(iter(children), "")
    return 1 + _wrappers(children[name]) if len(children) == 1 and name in WRAPPERS else 0
