"""What capture.jsonl says, line by line: the call, its tensors at their first use, each operator, what it returned.

An argument is spelt as JSON: null, a boolean, number or string as itself, a tensor as {"tensor": number}, a dtype,
layout or memory format as {"torch": "float32"}, a device as {"device": "cpu"}, a complex number as {"complex": [1.0,
0.0]}, anything else as {"unknown": "its type"}, which no replay can make again.
"""

from __future__ import annotations

import types
from typing import Any

from .capture_tensors import Tensors
from .lines import Lines
from .tracker import Tracker

MOST_OPERATORS = 20000  # a module that loops without end must not fill the disk


class CaptureLog:
    """Writes the record of one call."""

    def __init__(
        self, torch: types.ModuleType, tracker: Tracker, lines: Lines, values: str, wanted: dict, inside: Lines
    ) -> None:
        """Take where to write; `values` is the folder for the tensors' values."""
        self._torch = torch
        self._tracker = tracker
        self._lines = lines
        self._inside = inside
        self._wanted = wanted
        self._tensors = Tensors(torch, lines, inside, values, bool(wanted.get("values")))
        self._count = 0
        self._named = (torch.dtype, torch.layout, torch.memory_format)

    def opens(self, module: Any, args: tuple, kwargs: dict) -> None:
        """Write what the call is: the module, its parts, its arguments, and what steers its operators."""
        self._gaps(module)
        self._tensors.know_parts_of(module)
        for name, value in (*((f"args[{index}]", value) for index, value in enumerate(args)), *kwargs.items()):
            self._note_inputs(name, value)
        self._lines.write(
            event="begin", module=self._wanted["module"], call=self._wanted["call"], step=self._tracker.step,
            epoch=self._tracker.epoch, training=module.training,
            parts={name: _class_of(part) for name, part in module.named_modules()},
            args=self.spell(args), keywords=self.spell(kwargs), **steering(self._torch),
        )  # fmt: skip

    def closes(self) -> None:
        """Write that the call came back, or was left by an exception."""
        self._lines.write(event="end", operators=self._count)

    def begins(self, function: Any, args: tuple, kwargs: dict) -> int:
        """Write an operator that is about to run; return its number, which counts from 0."""
        number, self._count = self._count, self._count + 1
        if number >= MOST_OPERATORS:
            return number
        self._tensors.before = number
        spelt, named = self.spell(args), self.spell(kwargs)
        used = list(_tensors_of((args, kwargs), self._torch.Tensor))
        if number in (self._wanted.get("values_of") or ()):
            self._tensors.save(used)
        self._lines.write(
            event="operator", number=number, name=str(function), module=self._tracker.innermost(), args=spelt,
            keywords=named, extents=self._tensors.extents(used),
        )  # fmt: skip
        return number

    def returns(self, number: int, result: Any) -> None:
        """Write what an operator returned."""
        if number < MOST_OPERATORS:
            self._tensors.before = number + 1
            for index, tensor in enumerate(_tensors_of(result, self._torch.Tensor)):
                self._tensors.note(tensor, "output", f"{number}[{index}]")
            self._lines.write(event="returned", number=number, outputs=self.spell(result))

    def spell(self, value: Any) -> Any:
        """Return an argument as JSON."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, self._torch.Tensor):
            return {"tensor": self._tensors.note(value, "outside", "")}
        if isinstance(value, (list, tuple)):
            return [self.spell(item) for item in value]
        if isinstance(value, dict):
            return {str(key): self.spell(item) for key, item in value.items()}
        return self._spell_named(value)

    def _spell_named(self, value: Any) -> Any:
        if isinstance(value, self._named):
            return {"torch": str(value).rpartition(".")[2]}
        if isinstance(value, self._torch.device):
            return {"device": str(value)}
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        return {"unknown": _class_of(value)}

    def _note_inputs(self, name: str, value: Any) -> None:
        tensors = list(_tensors_of(value, self._torch.Tensor))
        for index, tensor in enumerate(tensors):
            self._tensors.note(tensor, "input", name if value is tensor else f"{name}[{index}]")

    def _gaps(self, module: Any) -> None:
        script, compiled = self._torch.jit.ScriptModule, "OptimizedModule"
        kinds = [_class_of(part) for part in module.modules() if isinstance(part, script)]
        kinds += [_class_of(part) for part in module.modules() if type(part).__name__ == compiled]
        if kinds:
            reason = f"{kinds[0]} is compiled: it is captured as the operators that it falls back to, not as it ran"
            self._inside.write(event="gap", probe="capture", reason=reason)


def steering(torch: types.ModuleType) -> dict:
    """Return what decides how operators run here: threads, gradients, oneDNN, determinism."""
    return {
        "threads": torch.get_num_threads(), "interop_threads": torch.get_num_interop_threads(),
        "grad_enabled": torch.is_grad_enabled(), "inference_mode": torch.is_inference_mode_enabled(),
        "onednn": bool(torch._C._get_mkldnn_enabled()),
        "deterministic": torch.are_deterministic_algorithms_enabled(), "torch": torch.__version__,
    }  # fmt: skip


def _class_of(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _tensors_of(value: Any, kind: type) -> Any:
    if isinstance(value, kind):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors_of(item, kind)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors_of(item, kind)
